using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Cluster;
using ClickAggregator.Api.Health;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Silo;
using Orleans.Dashboard;

namespace ClickAggregator.Api;

/// <summary>Puts the silo into the program: the embedded one, in this process.</summary>
internal static class SiloSetup
{
    public static void AddEmbeddedSilo(this WebApplicationBuilder builder, ApiSettings settings)
    {
        builder.AddEmbeddedSilo(Options(settings));
        builder.UseOrleans(silo => silo.AddDashboard());
        builder.Services.AddSingleton(services => new Silos(services.GetRequiredService<IGrainFactory>, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(services => new SeriesClient(services.GetRequiredService<Silos>(), services.GetRequiredService<TimeProvider>(), null));
        builder.Services.AddSingleton(provider => new ReadinessCheck("counting", ReadinessScope.Queries, () =>
        {
            ProgressBoard board = provider.GetRequiredService<ProgressBoard>();
            IReadOnlyList<PartitionProgress> partitions = board.Snapshot();
            return partitions.Count == 0 ? board.Trouble is { } trouble ? $"starting: {trouble}" : "starting"
                : partitions.FirstOrDefault(partition => partition.State is PartitionState.Starting or PartitionState.Stopped) is { } behind
                    ? behind.State == PartitionState.Starting ? $"partition {behind.Partition} is starting" : $"partition {behind.Partition} stands still: {behind.Detail}"
                    : null;
        }));
    }

    internal static EmbeddedSiloOptions Options(ApiSettings settings) => new(
        new CountingOptions
        {
            Rollups = settings.Counting.Rollups,
            Horizon = settings.Counting.DuplicateHorizon,
            MaxIds = settings.Counting.DuplicateMaxIds,
            Retention = settings.Counting.RetentionDays,
            TargetsMaySpread = settings.Kafka is not null,
            BatchInterval = settings.Counting.BatchInterval,
            Chain = new ChainOptions { MaxRecords = settings.Counting.BatchMaxRecords, LogClockIsOurs = settings.Kafka is null },
        },
        Store(settings),
        settings.Archive,
        settings.Kafka?.Silo.Clicks.Retention ?? settings.ClickLog.Retention,
        settings.Kafka?.Silo)
    {
        Reconciliation = settings.Reconciliation,
    };

    internal static SqliteOptions Store(ApiSettings settings) => new()
    {
        Path = Path.Combine(settings.DataDirectory, "store.db"),
        RetentionMinutes = settings.Counting.RetentionMinutes,
        RetentionDays = settings.Counting.RetentionDays,
    };
}
