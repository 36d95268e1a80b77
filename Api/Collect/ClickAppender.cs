using ClickAggregator.ClickLog;

namespace ClickAggregator.Api.Collect;

/// <summary>Appends to the click log and says its troubles as the API's errors.</summary>
internal partial class ClickAppender(PartitionedClickLog log, ILogger<ClickAppender> logger)
{
    private static readonly RequestFault Full = new(503, "log_full",
        "The click log is full (the disk, or ClickLog:MaxBytes). The clicks are not acknowledged; send them again later, with the same click_id "
        + "or Idempotency-Key, since some may have been kept.")
    { RetryAfter = 30 };

    // The process is about to stop (LogFailureWatch): somebody else, or its successor, will answer the next try.
    private static readonly RequestFault Failed = new(503, "store_unavailable",
        "The click log cannot be written and this process stops. The clicks are not acknowledged; send them again, with the same click_id "
        + "or Idempotency-Key, since some may have been kept.")
    { RetryAfter = 10, Close = true };

    /// <summary>Completes when the clicks are fsynced.</summary>
    /// <returns>Null, or why they were not stored.</returns>
    public virtual async ValueTask<RequestFault?> AppendAsync(ClickBatch batch)
    {
        try
        {
            await WriteAsync(batch);
            return null;
        }
        catch (LogFullException)
        {
            return Full;
        }
        catch (LogOverloadedException)
        {
            return RequestFault.Overloaded;
        }
        catch (IOException e)
        {
            // LogFailedException, or a log that is being closed: each is followed by the end of this process.
            LogNotStored(logger, e);
            return Failed;
        }
    }

    /// <summary>The write itself; tests put their faults here.</summary>
    protected virtual ValueTask WriteAsync(ClickBatch batch) => log.AppendAsync(batch, CancellationToken.None);

    [LoggerMessage(1003, LogLevel.Error, "Clicks could not be stored")]
    private static partial void LogNotStored(ILogger logger, Exception reason);
}
