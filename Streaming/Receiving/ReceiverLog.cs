using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Receiving;

/// <summary>What a receiver tells the operator; of what comes again and again, what is due among all of its process.</summary>
internal sealed partial class ReceiverLog(ILogger logger, int partition, SeldomSaid said)
{
    private readonly int _partition = partition;

    public void ReadFailed(TimeSpan wait, Exception fault)
    {
        if (said.IsDue((nameof(ReadFailed), fault.GetType()), out long unsaid))
        {
            ReadFailed(_partition, wait, fault.Message, unsaid, Unforeseen(fault));
        }
    }

    public void BeyondEnd(long next, long end, TimeSpan wait, Exception fault)
    {
        if (said.IsDue(nameof(BeyondEnd), out long unsaid))
        {
            BeyondEnd(_partition, next, end, wait, unsaid, Unforeseen(fault));
        }
    }

    public void RangeLost(long from, long to, Exception fault) => RangeLost(_partition, from, to, Unforeseen(fault));

    public void CloseFailed(Exception fault) => CloseFailed(_partition, fault);

    public static Exception? Unforeseen(Exception fault) => fault is ILogFault or IOException ? null : fault;

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4001,
        Message = "Partition {Partition} could not be read, again in {Wait}: {Reason} ({Unsaid} more since this was last said)")]
    private partial void ReadFailed(int partition, TimeSpan wait, string reason, long unsaid, Exception? fault);

    [LoggerMessage(Level = LogLevel.Error, EventId = 4002,
        Message = "Partition {Partition} was counted up to offset {Next} and its log ends at {End}: nothing is read until the log holds that offset again, next look in {Wait} ({Unsaid} more since this was last said)")]
    private partial void BeyondEnd(int partition, long next, long end, TimeSpan wait, long unsaid, Exception? fault);

    [LoggerMessage(Level = LogLevel.Error, EventId = 4003,
        Message = "Partition {Partition}: the log no longer holds the offsets [{From}, {To}), reading goes on behind them")]
    private partial void RangeLost(int partition, long from, long to, Exception? fault);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4004,
        Message = "The reader of partition {Partition} failed to close")]
    private partial void CloseFailed(int partition, Exception fault);
}
