using ClickAggregator.Streaming.Receiving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ClickAggregator.Streaming.Balancing;

/// <summary>
/// Looks now and then how many partitions the log has: at first until it answers, because it may be away when a silo
/// starts, then because partitions may be added. Each silo looks for itself; while they disagree two may read one
/// partition, or none for a moment.
/// </summary>
internal sealed partial class PartitionWatch(
    string provider, IPartitionLog log, TimeSpan period, TimeProvider time, ILogger<PartitionWatch> logger)
{
    private static readonly TimeSpan s_untilFirst = TimeSpan.FromSeconds(1);

    public static PartitionWatch Create(IServiceProvider services, string provider) => new(
        provider,
        PartitionAdapterFactory.KeyedOrPlain<IPartitionLog>(services, provider),
        services.GetRequiredService<IOptionsMonitor<PartitionStreamOptions>>().Get(provider).PartitionCheckPeriod,
        services.GetService<TimeProvider>() ?? TimeProvider.System,
        services.GetRequiredService<ILogger<PartitionWatch>>());

    /// <summary>Tells the number of partitions, each time it was looked at, until cancelled.</summary>
    public async Task RunAsync(Action<int> partitions, CancellationToken cancellationToken)
    {
        bool known = false;
        bool said = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                partitions(await log.GetPartitionCountAsync(cancellationToken));
                known = true;
                said = false;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                if (!said)
                {
                    LogAway(logger, provider, fault.Message, ReceiverLog.Unforeseen(fault));
                    said = true;
                }
            }

            await Task.Delay(known || period < s_untilFirst ? period : s_untilFirst, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4103,
        Message = "Streams {Provider}: the log does not say how many partitions it has; it is asked again until it does: {Reason}")]
    private static partial void LogAway(ILogger logger, string provider, string reason, Exception? fault);
}
