using ClickAggregator.Grains.Progress;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Chain;

/// <content>Getting records: from the stream, and where that has a gap, from the log.</content>
public sealed partial class PartitionChain
{
    private readonly Queue<Slab> _slabs = new();
    private long _buffered;
    private long _expected;
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _work = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _over;

    /// <summary>Whether a batch can be made of what is buffered.</summary>
    public bool HasWork => _slabs.Count > 0;

    /// <summary>Whether as much is buffered as makes the largest batch worth while.</summary>
    public bool IsFull => _buffered >= _options.BufferBytes / 2;

    /// <summary>
    /// Takes a slab that was delivered. Waits while too much is buffered. A slab that was counted already is ignored;
    /// one that starts too late is a gap, and is read from the log together with what is missing.
    /// </summary>
    public async ValueTask OfferAsync(Slab slab, CancellationToken cancellationToken)
    {
        while (IsCounting && _buffered >= _options.BufferBytes && slab.To > _expected)
        {
            await _room.Task.WaitAsync(cancellationToken);
        }

        if (!IsCounting || slab.To <= _expected || slab.From > _expected || !slab.TryAcquire())
        {
            return; // what is not taken here is found by ReadToEndAsync
        }

        Take(slab);
    }

    /// <summary>
    /// Reads what the log has beyond what is buffered: after a restart without traffic, and over a gap in what was
    /// delivered. Returns whether it stands at the log's end.
    /// </summary>
    public async Task<bool> ReadToEndAsync(CancellationToken cancellationToken)
    {
        ThrowIfOver();
        LogRange range = await AskAsync(cancellationToken);
        if (_expected < range.Start)
        {
            throw new ChainStoppedException(
                "range_lost", $"the log of partition {_partition} starts at {range.Start} now, beyond the offset {_expected} that is to be counted next");
        }

        if (range.End < _record.Next)
        {
            throw new ChainStoppedException(
                "log_shorter", $"log_shorter: partition {_partition} was counted up to {_record.Next}, and the log ends at {range.End}");
        }

        if (_expected >= range.End && _slabs.Count == 0)
        {
            // Everything that was durable when it was asked is counted, unless something is held back.
            NoteCounted(0);
            Post();
            return true;
        }

        if (_expected < range.End && _buffered < _options.BufferBytes)
        {
            await foreach (Slab slab in _log.ReadAsync(_partition, _expected, range.End, cancellationToken))
            {
                // Deliveries go on meanwhile, and may have brought it.
                if (IsCounting && slab.From <= _expected && slab.To > _expected)
                {
                    Take(slab);
                }
                else
                {
                    slab.Release();
                }

                if (_buffered >= _options.BufferBytes)
                {
                    break;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// Notes where the log ends now, unless an earlier end still waits to be reached: under load nobody stands at the end,
    /// and yet it has to be known until when everything is counted.
    /// </summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (_look is null)
        {
            ThrowIfOver();
            await AskAsync(cancellationToken);
        }
    }

    private async ValueTask<LogRange> AskAsync(CancellationToken cancellationToken)
    {
        long asked = _time.GetUtcNow().ToUnixTimeMilliseconds();
        LogRange range = await _log.GetRangeAsync(_partition, cancellationToken);
        _end = range.End;

        // The later look where it is reached already; else the earlier one, which is reached first.
        if (_look is null || range.Head <= _record.Next)
        {
            _look = (asked, range.Head);
        }

        return range;
    }

    /// <summary>Completes when something was buffered since it was last asked for.</summary>
    public Task WorkAsync()
    {
        if (_slabs.Count > 0)
        {
            return Task.CompletedTask;
        }

        if (_work.Task.IsCompleted)
        {
            _work = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return _work.Task;
    }

    private void Take(Slab slab)
    {
        _slabs.Enqueue(slab);
        _buffered += slab.DataLength + 64;
        _expected = slab.To;
        _end = Math.Max(_end, _expected);
        _work.TrySetResult();
    }

    private void Drop(Slab slab)
    {
        _buffered -= slab.DataLength + 64;
        slab.Release();
        if (_buffered < _options.BufferBytes)
        {
            TaskCompletionSource room = _room;
            _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            room.TrySetResult();
        }
    }

    /// <summary>Gives back what is buffered; nothing more is taken.</summary>
    /// <param name="state">Whether somebody has to act, or it starts over.</param>
    /// <param name="reason">Why.</param>
    public void Abandon(PartitionState state, string? reason)
    {
        Enter(state, reason);
        GiveBack();
    }

    private void Abandon(Exception error)
    {
        _over = error;
        Abandon(PartitionState.Stopped, error.Message);
    }

    /// <summary>Whoever goes on with a chain that is over learns it, and why: it would stand still without a word.</summary>
    private void ThrowIfOver()
    {
        if (!IsCounting)
        {
            throw _over is ChainFencedException
                ? new ChainFencedException(_over.Message, _over)
                : new InvalidOperationException($"partition {_partition} does not count now; try again when it does", _over);
        }
    }

    private void GiveBack()
    {
        while (_slabs.TryDequeue(out Slab? slab))
        {
            Drop(slab);
        }

        _room.TrySetResult();
        _work.TrySetResult();
    }
}
