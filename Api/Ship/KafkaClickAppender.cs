using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Shipper;

namespace ClickAggregator.Api.Ship;

/// <summary>
/// Acknowledges when the clicks are committed to Kafka: for shops whose machines may lose their disks. They are on this
/// disk before, so a caller who is told to try again may find them counted all the same, once.
/// </summary>
internal sealed class KafkaClickAppender(
    PartitionedClickLog log, LogShipper shipper, ApiSettings settings, TimeProvider time, ILogger<ClickAppender> logger)
    : ClickAppender(log, logger)
{
    private const int FailuresUntilAway = 3;

    // While Kafka is away a request that waits only holds others up; and when it is back, a commit takes no longer.
    private static readonly TimeSpan s_whileAway = TimeSpan.FromSeconds(1);

    private static readonly RequestFault s_notShipped = new(503, "store_unavailable",
        "The clicks are on disk here and not yet in Kafka. They are not acknowledged; send them again later, with the same click_id "
        + "or Idempotency-Key: they will be counted once.")
    { RetryAfter = 5 };

    private readonly Lock _gate = new();
    private int _failures;
    private long _failedAt;

    /// <summary>
    /// Why clicks are not acknowledged: requests failed one after the other, their clicks wait, and nothing was shipped since. Null
    /// while they are. Nobody has to send anything for it to end: what waits is shipped first.
    /// </summary>
    public string? Fault
    {
        get
        {
            lock (_gate)
            {
                return _failures >= FailuresUntilAway && !(shipper.Status.LastShipped > _failedAt) && shipper.Behind().Bytes > 0
                    ? $"clicks are on disk and not committed to Kafka{(shipper.Status.Detail is { } detail ? $": {detail}" : "")}"
                    : null;
            }
        }
    }

    public override async ValueTask<RequestFault?> AppendAsync(ClickBatch batch)
    {
        if (await base.AppendAsync(batch) is { } fault)
        {
            return fault;
        }

        using var patience = new CancellationTokenSource(Fault is null ? settings.Kafka!.AcknowledgeWithin : s_whileAway, time);
        try
        {
            await shipper.ShippedAsync(patience.Token);
            Note(failed: false);
            return null;
        }
        catch (Exception error) when (error is OperationCanceledException or ShipperStoppedException)
        {
            Note(failed: true);
            return s_notShipped;
        }
    }

    private void Note(bool failed)
    {
        lock (_gate)
        {
            _failures = !failed ? 0 : shipper.Status.LastShipped > _failedAt ? 1 : _failures + 1;
            _failedAt = failed ? time.GetUtcNow().ToUnixTimeMilliseconds() : _failedAt;
        }
    }
}
