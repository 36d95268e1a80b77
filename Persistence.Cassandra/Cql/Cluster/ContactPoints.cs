using System.Net;
using System.Net.Sockets;
using ClickAggregator.Persistence.Cassandra.Cql.Connections;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>The addresses behind the contact points, resolved each time they are asked for.</summary>
internal sealed class ContactPoints(CqlOptions options, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
{
    private volatile IReadOnlyDictionary<IPAddress, string> _names = new Dictionary<IPAddress, string>();

    /// <summary>The name that a certificate of this address has to have; null for one that no contact point stands for.</summary>
    public string? NameOf(IPAddress address) => _names.GetValueOrDefault(address);

    /// <summary>All addresses of all names that can be resolved now, and of the others why not.</summary>
    public async Task<(List<CqlEndpoint> Endpoints, List<CqlConnectionException> Unresolved)> ResolveAsync(CancellationToken cancellationToken)
    {
        var endpoints = new List<CqlEndpoint>();
        var names = new Dictionary<IPAddress, string>();
        var unresolved = new List<CqlConnectionException>();
        foreach (string name in options.ContactPoints)
        {
            try
            {
                IPAddress[] addresses = IPAddress.TryParse(name, out IPAddress? address)
                    ? [address]
                    : await resolve(name, cancellationToken).ConfigureAwait(false);
                foreach (IPAddress each in addresses)
                {
                    var endpoint = CqlEndpoint.Of(each, options.Port, name);
                    endpoints.Add(endpoint);
                    names[endpoint.Address.Address] = name;
                }
            }
            catch (SocketException unknown)
            {
                unresolved.Add(ConnectFaults.Unresolved(name, unknown));
            }
        }

        if (endpoints.Count > 0)
        {
            _names = names;
        }

        return (endpoints, unresolved);
    }
}
