using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Shipper;
using ClickAggregator.Silo;

namespace ClickAggregator.Api.Ship;

/// <summary>Ships this process's click log to Kafka, where Kafka is the log that is counted.</summary>
internal static class ShipSetup
{
    public static void AddShipping(this WebApplicationBuilder builder, ApiSettings settings)
    {
        if (settings.Kafka is not { } kafka)
        {
            return;
        }

        builder.Services.AddSingleton(services => new LogShipper(
            services.GetRequiredService<PartitionedClickLog>(), Options(kafka.Shipper, services.GetRequiredService<PartitionedClickLog>(), settings), services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILoggerFactory>(), cancellationToken => CountedUntilAsync(services, cancellationToken)));
        builder.Services.AddSingleton<IClickLogNeed, ShippedClickLog>();
        builder.Services.AddSingleton(services => new SourceProgress(services.GetRequiredService<LogShipper>().AcceptedUntil));
        builder.Services.AddSingleton(services => new SourceList(() => [View(services.GetRequiredService<LogShipper>())]));
        builder.Services.AddHostedService<ShipService>();
    }

    /// <summary>
    /// Where shipping begins if it never did: behind what was counted from the click log itself. The partitions say so once
    /// they have counted it to its end and closed it.
    /// </summary>
    private static async ValueTask<IReadOnlyList<long>?> CountedUntilAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        PartitionedClickLog log = services.GetRequiredService<PartitionedClickLog>();
        if (services.GetRequiredService<ApiSettings>().Cassandra is not null)
        {
            // The silos of a cluster never counted it: all that it holds is shipped.
            return [.. Enumerable.Range(0, log.Partitions).Select(partition => log.GetRange(partition).Start)];
        }

        IGrainFactory grains = services.GetRequiredService<IGrainFactory>();
        TimeProvider time = services.GetRequiredService<TimeProvider>();
        long[] first = new long[log.Partitions];
        for (int partition = 0; partition < first.Length; partition++)
        {
            while (true)
            {
                LogClosing closing = await grains.GetGrain<IPartitionGrain>(partition).GetClosingAsync(log.LogId.ToString()).WaitAsync(cancellationToken);
                if (!closing.IsPending)
                {
                    first[partition] = closing.At ?? log.GetRange(partition).Start;
                    break;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellationToken);
            }
        }

        return first;
    }

    // The click log has the partitions it was made with, whatever the settings say now.
    private static ShipperOptions Options(ShipperOptions options, PartitionedClickLog log, ApiSettings settings) => options with
    {
        Partitions = Math.Max(options.Partitions, log.Partitions),
        NoteFile = Path.Combine(settings.DataDirectory, "shipped"),
        WaitsForTopic = true, // clicks are taken meanwhile
    };

    private static SourceView View(LogShipper shipper)
    {
        ShipStatus status = shipper.Status;
        ShipLag behind = shipper.Behind();
        string state = status.State.ToString().ToLowerInvariant();
        return new SourceView(
            "click log to Kafka", status.Positions.Sum(), behind.Bytes, behind.Seconds, status.LastShipped, 0,
            status.Detail is null ? state : $"{state}: {status.Detail}");
    }

    /// <summary>What is shipped may go once it is past its retention. What was counted before Kafka took over lies below it.</summary>
    private sealed class ShippedClickLog(LogShipper shipper, PartitionedClickLog log) : IClickLogNeed
    {
        public IReadOnlyList<long> FirstNeeded() => [.. Enumerable.Range(0, log.Partitions).Select(shipper.ShippedUpto)];
    }

    private sealed class ShipService(LogShipper shipper) : BackgroundService
    {
        /// <summary>What was accepted is shipped before the process ends, for as long as stopping may take.</summary>
        public override async Task StopAsync(CancellationToken cancellationToken)
        {
            shipper.Drain();
            if (ExecuteTask is { } running)
            {
                await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await base.StopAsync(cancellationToken);
        }

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => shipper.RunAsync(stoppingToken);
    }
}
