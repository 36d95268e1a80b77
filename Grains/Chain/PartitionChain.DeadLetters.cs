using ClickAggregator.Grains.DeadLetters;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Chain;

/// <content>Records that hold no click.</content>
public sealed partial class PartitionChain
{
    private static readonly TimeSpan s_saidEvery = TimeSpan.FromSeconds(10);
    private readonly UnreadableRecords _unreadable = new();
    private long _said;
    private long _unsaid;

    /// <summary>Where records go that hold no click; null where they are only counted.</summary>
    public IDeadLetters? DeadLetters { get; init; }

    /// <summary>
    /// Reads the batch again for its records that hold no click: they are rare, and nothing is kept of them while all the
    /// others are folded. Before the batch completes, so a crash repeats it rather than leaves it out.
    /// </summary>
    private async Task SetAsideAsync(long end, CancellationToken cancellationToken)
    {
        long start = _record.Pending?.Start ?? end;
        await foreach (Slab slab in _log.ReadAsync(_partition, start, end, cancellationToken))
        {
            IReadOnlyList<DeadLetter> letters;
            try
            {
                letters = _unreadable.Of(slab, start, end);
            }
            finally
            {
                slab.Release();
            }

            if (letters.Count > 0)
            {
                await DeadLetters!.WriteAsync(letters, cancellationToken);
                SayUnreadable(letters);
            }
        }
    }

    /// <summary>Not each of them: a producer that writes nonsense writes a lot of it.</summary>
    private void SayUnreadable(IReadOnlyList<DeadLetter> letters)
    {
        _unsaid += letters.Count;
        if (_said == 0 || _time.GetElapsedTime(_said) >= s_saidEvery)
        {
            LogUnreadable(_logger, _partition, _unsaid, letters[0].Offset, letters[0].Message);
            _said = _time.GetTimestamp();
            _unsaid = 0;
        }
    }

    [LoggerMessage(EventId = 2007, Level = LogLevel.Warning, Message = "partition {Partition}: {Records} records hold no click and went to the dead letters; the one at offset {Offset}: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, int partition, long records, long offset, string reason);
}
