namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>Values of a fixed size.</summary>
internal static class Sized
{
    /// <exception cref="CqlProtocolException">There are more or fewer bytes.</exception>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> bytes, int size) =>
        bytes.Length == size ? bytes : throw new CqlProtocolException($"A value has {bytes.Length} bytes instead of {size}");
}
