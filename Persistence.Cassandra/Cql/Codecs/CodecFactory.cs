using System.Net;
using System.Numerics;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>Which codec a type of .NET has; asked once a type.</summary>
internal static class CodecFactory
{
    private static readonly Dictionary<Type, Func<CqlCodec>> s_scalars = new()
    {
        [typeof(bool)] = () => new ScalarCodec<BooleanCodec, bool>(),
        [typeof(sbyte)] = () => new ScalarCodec<TinyintCodec, sbyte>(),
        [typeof(short)] = () => new ScalarCodec<SmallintCodec, short>(),
        [typeof(int)] = () => new ScalarCodec<IntCodec, int>(),
        [typeof(long)] = () => new ScalarCodec<BigintCodec, long>(),
        [typeof(BigInteger)] = () => new ScalarCodec<VarintCodec, BigInteger>(),
        [typeof(decimal)] = () => new ScalarCodec<DecimalCodec, decimal>(),
        [typeof(double)] = () => new ScalarCodec<DoubleCodec, double>(),
        [typeof(float)] = () => new ScalarCodec<FloatCodec, float>(),
        [typeof(string)] = () => new ScalarCodec<TextCodec, string>(),
        [typeof(byte[])] = () => new ScalarCodec<BlobCodec, byte[]>(),
        [typeof(ReadOnlyMemory<byte>)] = () => new ScalarCodec<BlobMemoryCodec, ReadOnlyMemory<byte>>(),
        [typeof(Guid)] = () => new ScalarCodec<UuidCodec, Guid>(),
        [typeof(IPAddress)] = () => new ScalarCodec<InetCodec, IPAddress>(),
        [typeof(DateTimeOffset)] = () => new ScalarCodec<TimestampCodec, DateTimeOffset>(),
        [typeof(DateOnly)] = () => new ScalarCodec<DateCodec, DateOnly>(),
        [typeof(TimeOnly)] = () => new ScalarCodec<TimeCodec, TimeOnly>(),
        [typeof(CqlUnset)] = () => new UnsetCodec(),
    };

    /// <exception cref="NotSupportedException">There is none.</exception>
    public static CqlCodec Create(Type type)
    {
        if (s_scalars.TryGetValue(type, out Func<CqlCodec>? scalar))
        {
            return scalar();
        }

        string? maker = type switch
        {
            { IsSZArray: true } => nameof(Array),
            { IsGenericType: true } => type.GetGenericTypeDefinition() switch
            {
                var each when each == typeof(Nullable<>) => nameof(Nullable),
                var each when each == typeof(List<>) => nameof(List),
                var each when each == typeof(IReadOnlyList<>) => nameof(ReadOnlyList),
                var each when each == typeof(HashSet<>) => nameof(HashSet),
                var each when each == typeof(IReadOnlySet<>) => nameof(ReadOnlySet),
                var each when each == typeof(Dictionary<,>) => nameof(Dictionary),
                var each when each == typeof(IReadOnlyDictionary<,>) => nameof(ReadOnlyDictionary),
                _ => null,
            },
            _ => null,
        };
        if (maker is null)
        {
            throw new NotSupportedException($"{type} is no type that can be written to or read from a column");
        }

        Type[] parts = type.IsSZArray ? [type.GetElementType()!] : type.GetGenericArguments();
        return (CqlCodec)typeof(CodecFactory).GetMethod(maker, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
            .MakeGenericMethod(parts).Invoke(null, null)!;
    }

#pragma warning disable IDE0051 // Called by name above.
    private static NullableCodec<T> Nullable<T>()
        where T : struct => new();

    private static SequenceCodec<T[], T> Array<T>() => new(CqlTypeCode.List, list => [.. list]);

    private static SequenceCodec<List<T>, T> List<T>() => new(CqlTypeCode.List, list => list);

    private static SequenceCodec<IReadOnlyList<T>, T> ReadOnlyList<T>() => new(CqlTypeCode.List, list => list);

    private static SequenceCodec<HashSet<T>, T> HashSet<T>() => new(CqlTypeCode.Set, list => [.. list]);

    private static SequenceCodec<IReadOnlySet<T>, T> ReadOnlySet<T>() => new(CqlTypeCode.Set, list => new HashSet<T>(list));

    private static MapCodec<Dictionary<TKey, TValue>, TKey, TValue> Dictionary<TKey, TValue>()
        where TKey : notnull => new(map => map);

    private static MapCodec<IReadOnlyDictionary<TKey, TValue>, TKey, TValue> ReadOnlyDictionary<TKey, TValue>()
        where TKey : notnull => new(map => map);
#pragma warning restore IDE0051
}
