using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Hosting;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>A store, whose clock stands until a pass of the retention says what time it is.</summary>
internal sealed class StoreInCassandra : IStoreUnderTest
{
    private readonly CassandraStoreOptions _options;
    private readonly TimeProvider _clock;
    private IHost? _silo;

    private StoreInCassandra(CassandraStoreOptions options, TimeProvider clock, CassandraStore store)
    {
        _options = options;
        _clock = clock;
        Store = store;
    }

    public CassandraStore Store { get; private set; }

    /// <summary>As a silo has it: from the container that is built as a silo's is.</summary>
    public IGrainStorage State => (_silo ??= Silo()).Services.GetRequiredKeyedService<IGrainStorage>(StorageNames.State);

    public IGrainStorage Windows => new CassandraWindowStorage(Store);

    public IBatchStore Batches => Store;

    public ICountReader Counts => Store.Counts;

    public ILedgerStore Ledger => Store.Ledger;

    public static async Task<StoreInCassandra> OpenAsync(CassandraStoreOptions options, TimeProvider? clock = null)
    {
        clock ??= new PassClock();
        return new StoreInCassandra(options, clock, await StoreAsync(options, clock));
    }

    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        _silo?.Dispose();
        _silo = null;
        Store = await StoreAsync(_options, _clock);
    }

    public Task ForgetAsync(DateTimeOffset now)
    {
        ((PassClock)_clock).Now = now;
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _silo?.Dispose();
        await Store.DisposeAsync();
    }

    private IHost Silo() => new HostBuilder().UseOrleans(silo => silo.UseLocalhostClustering().AddCassandraStore(_options)).Build();

    private static async Task<CassandraStore> StoreAsync(CassandraStoreOptions options, TimeProvider clock)
    {
        CassandraStore store = await CassandraStore.OpenAsync(options, NullLoggerFactory.Instance, clock, TestContext.Current.CancellationToken);
        store.MarkedBy = static () => 1; // as in a cluster of this build alone
        return store;
    }

    // Only what is kept goes by it; timers and deadlines are the system's.
    private sealed class PassClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
