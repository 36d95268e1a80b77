using System.Text;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Silo;
using ClickAggregator.Silo.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.SystemTests.Reconciliation;

/// <summary>The embedded silo in this process, as the program composes it, over a folder of the test's own.</summary>
internal sealed class LedgerSilo : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly PartitionedClickLog _log;

    private readonly RunMode _mode;

    private LedgerSilo(IHost host, PartitionedClickLog log, RunMode mode)
    {
        _host = host;
        _log = log;
        _mode = mode;
    }

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public IReconciliationGrain Reconciliation => Grains.GetGrain<IReconciliationGrain>(0);

    public ILedgerStore Ledger => _host.Services.GetRequiredService<ILedgerStore>();

    public static async Task<LedgerSilo> StartAsync(DataFolder data, RunMode mode = RunMode.Direct, TimeSpan? patience = null, TimeSpan sweepEvery = default, TimeSpan? lateEvery = null, Func<ILedgerStore, ILedgerStore>? ledger = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging();
        PartitionedClickLog log = await PartitionedClickLog.OpenAsync(
            new ClickLogOptions { Directory = data.File("log"), Partitions = 2 }, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        builder.Services.AddSingleton(log);
        builder.Services.AddSingleton(TimeProvider.System);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Archive:MaxAge"] = "1 s" }).Build();
        var archive = ArchiveSettings.Read(new ClickAggregator.Settings.SettingReader(configuration), data.Path);
        builder.AddEmbeddedSilo(new EmbeddedSiloOptions(
            new CountingOptions { BatchInterval = TimeSpan.FromMilliseconds(20) },
            new SqliteOptions { Path = data.File("store.db") },
            archive,
            TimeSpan.FromHours(24))
        {
            Reconciliation = new ReconciliationOptions { RetryDelay = TimeSpan.FromMilliseconds(200), Mode = mode, Patience = patience ?? TimeSpan.FromMinutes(15), SweepEvery = sweepEvery, LateEvery = lateEvery ?? TimeSpan.FromHours(24) },
        });
        if (ledger is not null)
        {
            ServiceDescriptor stored = builder.Services.Last(service => service.ServiceType == typeof(ILedgerStore));
            builder.Services.AddSingleton(services => ledger((ILedgerStore)stored.ImplementationFactory!(services)));
        }

        var silo = new LedgerSilo(builder.Build(), log, mode);
        await silo._host.StartAsync();
        return silo;
    }

    /// <summary>Appends lines of clicks, and waits until they are counted.</summary>
    public async Task AppendAsync(IEnumerable<string> lines)
    {
        var batch = new ClickBatch(_log.Partitions);
        byte[] scratch = new byte[ClickParser.ScratchBytes];
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (string line in lines)
        {
            Assert.True(ClickParser.TryParse(Encoding.UTF8.GetBytes(line), scratch, now, out Click click, out _));
            batch.Add(in click);
        }

        await _log.AppendAsync(batch, CancellationToken.None);
        await CountedAsync();
    }

    public Task CountedAsync() => Eventually.Async(
        "everything in the log is counted",
        async () => (await Grains.GetGrain<ISeriesGrain>(0).GetProgressAsync()).Partitions is { Count: 2 } partitions
            && partitions.All(partition => partition.State == PartitionState.Counting && partition.Next == _log.GetRange(partition.Partition).End),
        TimeSpan.FromMinutes(1));

    /// <summary>Runs over some hours to the end.</summary>
    public async Task<ReconciliationRun> RunAsync(int fromHour, int toHour, bool dryRun = false)
    {
        ReconciliationRun run = await Reconciliation.StartAsync(new RunRequest(fromHour, toHour, _mode, dryRun, "test"));
        return await EndedAsync(run.Number);
    }

    /// <summary>Runs over some hours until the schedule has been through them, too, and has looked for late clicks: from then on it comes to none of them by itself.</summary>
    public async Task SettledAsync(int fromHour, int toHour)
    {
        await Eventually.Async(
            "the run of the schedule is done",
            async () =>
            {
                await RunAsync(fromHour, toHour);
                return (await Reconciliation.GetRunsAsync(null, 1000)).Any(run => run is { Reason: "schedule", State: RunState.Done });
            },
            TimeSpan.FromMinutes(2));
        await RunAsync(fromHour, toHour);
    }

    public async Task<ReconciliationRun> EndedAsync(long number)
    {
        ReconciliationRun? run = null;
        await Eventually.Async(
            $"run {number} ends",
            async () => (run = await Reconciliation.GetRunAsync(number)) is { State: RunState.Done or RunState.DoneInPart },
            TimeSpan.FromMinutes(2));
        return run!;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        await _log.DisposeAsync();
    }
}
