using System.Net;
using ClickAggregator.Persistence.Cassandra.Cql.Connections;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>Asks one node about the cluster. Every column is named: what is missing then is an error, not a surprise.</summary>
internal sealed class ClusterReader(CqlOptions options, TimeProvider time)
{
    // More nodes and keyspaces than this are no cluster of ours; the page has to hold them all.
    private const int MaxRows = 10_000;

    private const string LocalQuery =
        "SELECT data_center, rack, release_version, tokens, schema_version FROM system.local WHERE key = 'local'";

    private const string PeersV2Query =
        "SELECT peer, native_address, native_port, data_center, rack, release_version, tokens, schema_version FROM system.peers_v2";

    private const string PeersQuery =
        "SELECT peer, rpc_address, data_center, rack, release_version, tokens, schema_version FROM system.peers";

    private const string KeyspacesQuery = "SELECT keyspace_name, replication FROM system_schema.keyspaces";

    /// <summary>All nodes, the one that is asked first and under the address that it was reached at.</summary>
    /// <exception cref="CqlException">It could not be asked.</exception>
    public async Task<List<HostInfo>> ReadHostsAsync(
        CqlConnection connection, CqlEndpoint endpoint, Func<IPAddress, string?> nameOf, CancellationToken cancellationToken)
    {
        CqlPage local = await AskAsync(connection, LocalQuery, cancellationToken).ConfigureAwait(false);
        if (local.Count != 1)
        {
            throw new CqlProtocolException($"{endpoint} has {local.Count} rows in system.local");
        }

        var hosts = new List<HostInfo> { Host(local[0], endpoint) };
        foreach (CqlRow row in await ReadPeersAsync(connection, cancellationToken).ConfigureAwait(false))
        {
            // A peer without a token or an address is one that is just coming or going.
            if (PeerEndpoint(row, nameOf) is { } peer && !row.IsNull("tokens") && !row.IsNull("data_center")
                && !hosts.Exists(host => host.Endpoint.Address.Equals(peer.Address)))
            {
                hosts.Add(Host(row, peer));
            }
        }

        return hosts;
    }

    /// <exception cref="CqlException">It could not be asked.</exception>
    public async Task<Dictionary<string, Replication>> ReadKeyspacesAsync(
        CqlConnection connection, string dataCenter, CancellationToken cancellationToken)
    {
        var keyspaces = new Dictionary<string, Replication>(StringComparer.Ordinal);
        foreach (CqlRow row in await AskAsync(connection, KeyspacesQuery, cancellationToken).ConfigureAwait(false))
        {
            keyspaces[row.Get<string>("keyspace_name")] = Replication.Read(row.Get<Dictionary<string, string>>("replication"), dataCenter);
        }

        return keyspaces;
    }

    /// <summary>The versions of the schema that the node sees: its own, and those of the peers that are asked for.</summary>
    /// <exception cref="CqlException">It could not be asked.</exception>
    public async Task<HashSet<Guid>> ReadSchemaVersionsAsync(
        CqlConnection connection, Func<IPEndPoint, bool> counts, CancellationToken cancellationToken)
    {
        CqlPage local = await AskAsync(connection, LocalQuery, cancellationToken).ConfigureAwait(false);
        var versions = new HashSet<Guid> { local[0].Get<Guid>("schema_version") };
        foreach (CqlRow row in await ReadPeersAsync(connection, cancellationToken).ConfigureAwait(false))
        {
            if (PeerEndpoint(row, _ => null) is { } peer && counts(peer.Address) && row.GetOrDefault<Guid?>("schema_version") is { } version)
            {
                versions.Add(version);
            }
        }

        return versions;
    }

    private static HostInfo Host(CqlRow row, CqlEndpoint endpoint) => new(
        endpoint,
        row.Get<string>("data_center"),
        row.GetOrDefault<string>("rack") ?? "",
        [.. row.Get<HashSet<string>>("tokens").Select(TokenOf).OfType<long>()],
        row.GetOrDefault<string>("release_version") ?? "");

    // Other partitioners have tokens that are no numbers; without tokens requests go round the ring.
    private static long? TokenOf(string text) =>
        long.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out long token) ? token : null;

    private CqlEndpoint? PeerEndpoint(CqlRow row, Func<IPAddress, string?> nameOf)
    {
        bool second = row.Has("native_address");
        IPAddress? address = row.GetOrDefault<IPAddress>(second ? "native_address" : "rpc_address");
        if (address is not null && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
        {
            // A node that listens everywhere and does not say where it is found: its peers find it there.
            address = row.GetOrDefault<IPAddress>("peer");
        }

        int port = second ? row.GetOrDefault<int?>("native_port") ?? options.Port : options.Port;
        return address is null ? null : CqlEndpoint.Of(address, port, nameOf(address));
    }

    private async Task<CqlPage> ReadPeersAsync(CqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(connection, PeersV2Query, cancellationToken).ConfigureAwait(false);
        }
        catch (CqlServerException fault) when (fault.Code is CqlErrorCode.Invalid or CqlErrorCode.ServerError or CqlErrorCode.Unauthorized)
        {
            // Before Cassandra 4, and elsewhere, there is only the first of the two tables.
            return await AskAsync(connection, PeersQuery, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<CqlPage> AskAsync(CqlConnection connection, string query, CancellationToken cancellationToken)
    {
        var request = new QueryRequest(query, new QueryParameters(CqlConsistency.One, MaxRows));
        CqlResponse answer = await connection.SendAsync(request, Deadline.After(time, options.RequestTimeout), cancellationToken).ConfigureAwait(false);
        return answer is RowsResult rows ? rows.Page : throw new CqlProtocolException($"{connection.Name} answers a SELECT with {answer.GetType().Name}");
    }
}
