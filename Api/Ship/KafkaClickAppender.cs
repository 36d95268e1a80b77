using ClickAggregator.Api.Collect;
using ClickAggregator.ClickLog;
using ClickAggregator.Shipper;

namespace ClickAggregator.Api.Ship;

/// <summary>
/// Acknowledges when the clicks are committed to Kafka: for shops whose machines may lose their disks. They are on this
/// disk before, so a caller who is told to try again may find them counted all the same, once.
/// </summary>
internal sealed class KafkaClickAppender(PartitionedClickLog log, LogShipper shipper, TimeProvider time, ILogger<ClickAppender> logger)
    : ClickAppender(log, logger)
{
    // Longer than a transaction takes and than a leader moves; shorter than callers wait.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private static readonly RequestFault s_notShipped = new(503, "store_unavailable",
        "The clicks are on disk here and not yet in Kafka. They are not acknowledged; send them again later, with the same click_id "
        + "or Idempotency-Key: they will be counted once.")
    { RetryAfter = 5 };

    public override async ValueTask<RequestFault?> AppendAsync(ClickBatch batch)
    {
        if (await base.AppendAsync(batch) is { } fault)
        {
            return fault;
        }

        using var patience = new CancellationTokenSource(s_patience, time);
        try
        {
            await shipper.ShippedAsync(patience.Token);
            return null;
        }
        catch (Exception error) when (error is OperationCanceledException or ShipperStoppedException)
        {
            return s_notShipped;
        }
    }
}
