using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Api.Keys;

/// <summary>
/// The keys of a cluster, in a table. Each change is one conditional write: it holds only while no other change was made since
/// the keys were read, so that of two keys with one name one is kept. It bears a nonce, by which a lost answer is resolved.
/// </summary>
internal sealed class CassandraKeyStore(CassandraSession session, CassandraOptions options) : IKeyStore
{
    // Each time at least one other change was made.
    private const int MaxAttempts = 50;

    private readonly KeyTable _table = new(session.Keyspace, session.Serial);
    private byte[] _lastText = [];
    private IReadOnlyList<ApiKey> _last = [];

    public string Place { get; } =
        $"table {options.Keyspace}.{KeyTable.Name} of Cassandra at {string.Join(',', options.Cql.ContactPoints)} port {options.Cql.Port}";

    /// <summary>One read of one partition.</summary>
    public TimeSpan LookEvery { get; } = TimeSpan.FromSeconds(2);

    public async Task<IReadOnlyList<ApiKey>> ReadAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<ApiKey> keys = (await LoadAsync(_table.Read, cancellationToken)).Keys;
        byte[] text = KeyFile.Write(keys);
        if (!text.AsSpan().SequenceEqual(_lastText))
        {
            (_last, _lastText) = (keys, text);
        }

        return _last;
    }

    public Task AddAsync(ApiKey key, CancellationToken cancellationToken) => ChangeAsync(
        keys =>
        {
            if (keys.Any(other => other.Hash.AsSpan().SequenceEqual(key.Hash)))
            {
                return null; // by an attempt whose answer was lost: nobody else has this hash
            }

            KeyRules.CheckNew(keys, key);
            return _table.Insert.Bind(
                KeyTable.Ring, HashText(key), key.Name, KeyScopes.Names(key.Scopes).ToArray(), key.Origins.ToArray(), key.Created);
        },
        cancellationToken);

    public async Task<ApiKey> RevokeAsync(string idOrName, DateTimeOffset time, CancellationToken cancellationToken)
    {
        ApiKey? revoked = null;
        await ChangeAsync(
            keys =>
            {
                ApiKey key = KeyRules.Choose(keys, revoked?.Id ?? idOrName, Place);
                // The table keeps milliseconds: what was revoked at this one was by an attempt whose answer was lost.
                bool isOurs = key.Revoked?.ToUnixTimeMilliseconds() == time.ToUnixTimeMilliseconds();
                revoked = key.Revoked is null || isOurs ? key.RevokedAt(time) : key;
                return key.Revoked is null ? _table.Revoke.Bind(time, KeyTable.Ring, HashText(key)) : null;
            },
            cancellationToken);
        return revoked!;
    }

    private static string HashText(ApiKey key) => Convert.ToHexStringLower(key.Hash);

    // The change is asked again for keys that were changed meanwhile; it says null where there is nothing left to do.
    private async Task ChangeAsync(Func<IReadOnlyList<ApiKey>, CqlCommand?> change, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            (IReadOnlyList<ApiKey> keys, Guid? version) = await LoadAsync(_table.ReadSerial, cancellationToken);
            if (change(keys) is not { } command || await WriteAsync(command, version, cancellationToken))
            {
                return;
            }
        }

        throw new KeyStoreException($"{Place}: others changed keys all the while; try again");
    }

    private async Task<bool> WriteAsync(CqlCommand command, Guid? version, CancellationToken cancellationToken)
    {
        Guid nonce = Guid.NewGuid();
        CqlBatch batch = new CqlBatch().Add(_table.SetVersion.Bind(nonce, KeyTable.Ring, version)).Add(command);
        try
        {
            return await session.Writes.RunAsync(
                "a key", () => session.Cql.CompareAndSetAsync(batch, cancellationToken), LookAsync, cancellationToken);
        }
        catch (CqlException e)
        {
            throw new KeyStoreException($"{Place} did not say whether it kept the change; keys list shows what it has: {e.Message}", e);
        }

        async Task<Standing> LookAsync()
        {
            Guid? now = (await session.Cql.QueryFirstAsync(_table.ReadSerial.Bind(KeyTable.Ring), cancellationToken))?.Get<Guid?>("version");
            return now == nonce ? Standing.Mine : now == version ? Standing.Unchanged : Standing.Others;
        }
    }

    private async Task<(IReadOnlyList<ApiKey> Keys, Guid? Version)> LoadAsync(CqlStatement read, CancellationToken cancellationToken)
    {
        try
        {
            await session.EnsureAsync(KeyTable.Schema, cancellationToken);
            CqlPage page = await session.Cql.QueryPageAsync(read.Bind(KeyTable.Ring), cancellationToken: cancellationToken);
            if (page.HasMorePages)
            {
                throw new KeyStoreException($"{Place} cannot be used: it has more than {page.Count:N0} rows");
            }

            // A partition may be a version alone.
            ApiKey[] keys = [.. page.Where(row => !row.IsNull("hash")).Select(KeyOf).OrderBy(key => key.Created)];
            return (keys, page.Count > 0 ? page[0].Get<Guid?>("version") : null);
        }
        catch (Exception e) when (e is CqlException or SchemaUnusableException or InvalidCastException) // the last: a column of another type
        {
            throw new KeyStoreException($"{Place} cannot be read: {e.Message}", e);
        }
    }

    private ApiKey KeyOf(CqlRow row)
    {
        string hash = row.Get<string>("hash");
        var entry = new KeyFile.Entry(
            row.GetOrDefault<string>("name"), hash, row.Get<string[]>("scopes"), row.Get<string[]>("origins"),
            row.GetOrDefault<DateTimeOffset>("created"), row.Get<DateTimeOffset?>("revoked"));
        return KeyFile.KeyOf(entry)
            ?? throw new KeyStoreException($"{Place} cannot be used: its row with the hash {hash} is damaged. Put it right, or delete it and make a new key");
    }
}
