using System.Net;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>Where a node listens. <paramref name="Name"/> is what its certificate has to name.</summary>
internal sealed record CqlEndpoint(IPEndPoint Address, string Name)
{
    public static CqlEndpoint Of(IPAddress address, int port, string? name = null)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return new CqlEndpoint(new IPEndPoint(plain, port), name ?? plain.ToString());
    }

    /// <summary>For people: the address, and the name that it was found by.</summary>
    public string Label => Name == Address.Address.ToString() ? $"{Address}" : $"{Name} ({Address})";

    public override string ToString() => Address.ToString();
}
