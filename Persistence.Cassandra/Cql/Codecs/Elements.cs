using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>What is inside of a collection. No server takes a null there.</summary>
internal static class Elements
{
    public static void Write<T>(CqlBuffer buffer, T element)
    {
        if (element is null or CqlUnset)
        {
            throw new ArgumentException("A collection cannot hold null", nameof(element));
        }

        CqlCodec<T>.Instance.WriteValue(buffer, element);
    }

    public static T Read<T>(ref CqlReader reader, CqlType type)
    {
        CqlCodec<T> codec = CqlCodec<T>.Instance;
        return reader.TryReadBytes(out ReadOnlySpan<byte> bytes)
            ? codec.Read(type, bytes)
            : codec.TryNull(out T? none) ? none : throw new InvalidCastException("A collection holds a null");
    }
}
