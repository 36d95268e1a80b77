using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Receiving;

/// <summary>What a receiver tells the operator.</summary>
internal sealed partial class ReceiverLog(ILogger logger, int partition)
{
    private readonly int _partition = partition;

    public void ReadFailed(TimeSpan wait, Exception fault) => ReadFailed(_partition, wait, fault);

    public void BeyondEnd(long next, long end, TimeSpan wait, Exception fault) =>
        BeyondEnd(_partition, next, end, wait, fault);

    public void RangeLost(long from, long to, Exception fault) => RangeLost(_partition, from, to, fault);

    public void CloseFailed(Exception fault) => CloseFailed(_partition, fault);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4001,
        Message = "Partition {Partition} could not be read, again in {Wait}")]
    private partial void ReadFailed(int partition, TimeSpan wait, Exception fault);

    [LoggerMessage(Level = LogLevel.Error, EventId = 4002,
        Message = "Partition {Partition} was counted up to offset {Next} and its log ends at {End}: nothing is read until the log holds that offset again, next look in {Wait}")]
    private partial void BeyondEnd(int partition, long next, long end, TimeSpan wait, Exception fault);

    [LoggerMessage(Level = LogLevel.Error, EventId = 4003,
        Message = "Partition {Partition}: the log no longer holds the offsets [{From}, {To}), reading goes on behind them")]
    private partial void RangeLost(int partition, long from, long to, Exception fault);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4004,
        Message = "The reader of partition {Partition} failed to close")]
    private partial void CloseFailed(int partition, Exception fault);
}
