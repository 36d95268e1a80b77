using System.Diagnostics.CodeAnalysis;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>A codec whose type is known only while running: for the values of a statement.</summary>
internal abstract class CqlCodec
{
    /// <summary>The type of .NET, for messages.</summary>
    public abstract Type Type { get; }

    public abstract bool Accepts(CqlType type);
}

/// <summary>The codec of a type, found once.</summary>
internal abstract class CqlCodec<T> : CqlCodec
{
    private static CqlCodec<T>? s_instance;

    /// <exception cref="NotSupportedException">There is none.</exception>
    public static CqlCodec<T> Instance => s_instance ??= (CqlCodec<T>)CodecFactory.Create(typeof(T));

    public override Type Type => typeof(T);

    /// <summary>Writes a [value] with its length.</summary>
    public abstract void WriteValue(CqlBuffer buffer, T? value);

    public abstract T Read(CqlType type, ReadOnlySpan<byte> bytes);

    /// <summary>What a null is read as, where the type has something for it.</summary>
    public virtual bool TryNull([MaybeNullWhen(false)] out T value)
    {
        value = default;
        return false;
    }
}
