using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>One keyspace for the tests of a class, which goes with it. Each test finds it empty.</summary>
public sealed class CassandraKeyspace : IAsyncDisposable
{
    private static readonly string[] s_tables = [.. CassandraSchema.Clicks.Versions.SelectMany(steps => steps).Select(step => step.Table.Name)];
    private readonly string _name = $"t{Guid.NewGuid():N}";
    private CqlDataSource? _cql;

    public string Name => _name;

    public static string Host { get; private set; } = "";

    internal async Task<CqlDataSource> CqlAsync(CassandraServer server) => _cql ??= CqlDataSource.Create((await OptionsAsync(server)).Cassandra.Cql);

    /// <summary>The options of a store in this keyspace.</summary>
    public async Task<CassandraStoreOptions> OptionsAsync(CassandraServer server, Kept? kept = null)
    {
        kept ??= Kept.Default;
        var options = new CassandraStoreOptions { RetentionMinutes = kept.Minutes, RetentionDays = kept.Days };
        foreach (string point in (await server.ContactPointsAsync()).Split(','))
        {
            options.Cassandra.Cql.ContactPoints.Add(point);
            Host = point;
        }

        options.Cassandra.Cql.Port = server.Port;
        options.Cassandra.Cql.RequestTimeout = TimeSpan.FromSeconds(30);
        options.Cassandra.Keyspace = _name;
        options.Cassandra.Replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
        return options;
    }

    /// <summary>A store without a row.</summary>
    internal async Task<StoreInCassandra> OpenAsync(CassandraServer server, Kept? kept = null, Action<CassandraStoreOptions>? change = null)
    {
        CassandraStoreOptions options = await OptionsAsync(server, kept);
        change?.Invoke(options);
        StoreInCassandra store = await StoreInCassandra.OpenAsync(options);
        CqlDataSource cql = await CqlAsync(server);
        foreach (string table in s_tables)
        {
            CqlIdentifier keyspace = CqlIdentifier.Parse(_name), name = CqlIdentifier.Parse(table);
            if (await cql.QueryFirstAsync(new CqlStatement($"SELECT * FROM {keyspace}.{name} LIMIT 1").Bind()) is not null)
            {
                await cql.ExecuteSchemaAsync(new CqlStatement($"TRUNCATE {keyspace}.{name}"));
            }
        }

        return store;
    }

    public async ValueTask DisposeAsync()
    {
        if (_cql is not null)
        {
            CqlIdentifier keyspace = CqlIdentifier.Parse(_name);
            await _cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE IF EXISTS {keyspace}"));
            await _cql.DisposeAsync();
        }
    }
}

/// <summary>A store, whose clock stands until a pass of the retention says what time it is.</summary>
internal sealed class StoreInCassandra : IStoreUnderTest
{
    private readonly CassandraStoreOptions _options;
    private readonly PassClock _clock;

    private StoreInCassandra(CassandraStoreOptions options, PassClock clock, CassandraStore store)
    {
        _options = options;
        _clock = clock;
        Store = store;
    }

    public CassandraStore Store { get; private set; }

    public IGrainStorage State => throw new NotSupportedException("the provider of Persistence.Cassandra");

    public IGrainStorage Windows => new CassandraWindowStorage(Store);

    public IBatchStore Batches => Store;

    public ICountReader Counts => Store.Counts;

    public static async Task<StoreInCassandra> OpenAsync(CassandraStoreOptions options)
    {
        var clock = new PassClock();
        return new StoreInCassandra(options, clock, await OpenAsync(options, clock));
    }

    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = await OpenAsync(_options, _clock);
    }

    public Task ForgetAsync(DateTimeOffset now)
    {
        _clock.Now = now;
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    private static Task<CassandraStore> OpenAsync(CassandraStoreOptions options, PassClock clock) =>
        CassandraStore.OpenAsync(options, NullLoggerFactory.Instance, clock, TestContext.Current.CancellationToken);

    // Only what is kept goes by it; timers and deadlines are the system's.
    private sealed class PassClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
