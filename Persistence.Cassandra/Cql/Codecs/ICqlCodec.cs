using System.Diagnostics.CodeAnalysis;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>How values of one type of .NET are written and read (section 6), without their lengths. Nothing is converted silently.</summary>
/// <typeparam name="TSelf">The codec.</typeparam>
/// <typeparam name="T">The type of .NET.</typeparam>
[SuppressMessage("Design", "CA1000:Do not declare static members on generic types", Justification = "They are what the compiler inlines")]
internal interface ICqlCodec<TSelf, T>
    where TSelf : ICqlCodec<TSelf, T>
    where T : notnull
{
    static abstract bool Accepts(CqlTypeCode type);

    static abstract void Write(CqlBuffer buffer, T value);

    /// <exception cref="CqlProtocolException">These are no bytes of that type.</exception>
    static abstract T Read(ReadOnlySpan<byte> bytes);
}
