using System.Net;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>inet (section 6.9), without a port.</summary>
internal sealed class InetCodec : ICqlCodec<InetCodec, IPAddress>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Inet;

    public static void Write(CqlBuffer buffer, IPAddress value) => buffer.WriteRaw(value.GetAddressBytes());

    public static IPAddress Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length is 4 or 16 ? new IPAddress(bytes) : throw new CqlProtocolException($"An address has {bytes.Length} bytes");
}
