using System.Collections.Frozen;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Chain;

/// <content>Counting a batch.</content>
public sealed partial class PartitionChain
{
    /// <summary>After how many repeats of a call it is said that it fails.</summary>
    private const int SayAfter = 3;

    private const long HourMilliseconds = 3_600_000;

    /// <summary>How long after its end no reconciliation of an hour has begun: it waits for late clicks.</summary>
    private const long YoungMilliseconds = HourMilliseconds;

    private readonly List<Slab> _batch = [];

    /// <summary>Counts what is buffered, as one batch; false where nothing is.</summary>
    /// <exception cref="ChainFencedException">Another owner has the partition.</exception>
    public async Task<bool> CommitAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ThrowIfOver();
            if (_slabs.Count == 0)
            {
                return false;
            }

            int records = 0;
            long start = _record.Next;
            long end = start;
            long lastTime = 0;
            while (records < _options.MaxRecords && _slabs.TryDequeue(out Slab? slab))
            {
                _batch.Add(slab);
                records += slab.Count;
                end = slab.To;
                lastTime = slab.Count > 0 ? Math.Max(lastTime, slab.Records[^1].Timestamp) : lastTime;
            }

            try
            {
                // 1. The intent. It is written while the records are folded: a fold is only memory, and if the intent
                //    fails this owner is over, and its memory with it.
                ChainRecord intent = _record with
                {
                    Next = start,
                    Stamp = Math.Max(_record.Stamp + 1000, lastTime * 1000),
                    Pending = new PendingBatch(start, end, _rules.Id),
                    DedupFrom = Math.Min(_folder.DedupFrom, start),
                    Last = LogMark.OfLast(_batch) ?? _record.Last,
                    CountedUntil = _countedUntil,
                };
                Task writing = _faults.HasFlag(ChainFaults.NoIntent) ? Task.CompletedTask : WriteRecordAsync(intent, cancellationToken);

                // 2. The fold, giving way between slabs to whoever asks this grain something.
                try
                {
                    // Slabs may overlap. A record folded twice would not count twice, but it would push another id out
                    // of the duplicate set, and a replay, whose slabs do not overlap, would then decide otherwise.
                    long at = start;
                    foreach (Slab slab in _batch)
                    {
                        _folder.Fold(slab, at, end);
                        at = slab.To;
                        await Task.Yield();
                    }
                }
                finally
                {
                    await writing;
                }

                _record = intent;

                // 3. and 4.
                FoldedBatch folded = _folder.Complete();
                Repeats?.Note(_record.Chain, _rules, new CountedRepeats(start, end, intent.DedupFrom, folded.Repeats));
                await DeliverAsync(folded, end, cancellationToken);

                // 5.
                _record = _record with { Next = end };
                _needsCompletion = true;
                NoteCounted(lastTime);
                _instruments.Note(folded);
                Say(null);
                return true;
            }
            catch (Exception error)
            {
                // The folder has taken these records and cannot give them back, and nobody knows whether the intent
                // was stored. A further batch would leave them out: this owner is over, and the next one replays.
                Abandon(error);
                throw;
            }
            finally
            {
                _batch.ForEach(Drop);
                _batch.Clear();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private bool _needsCompletion;

    /// <summary>Gives up what is buffered, and says in the record that the last batch is complete.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (IsCounting)
        {
            GiveBack();
            _expected = _record.Next;
            await CompleteAsync(cancellationToken);
        }
    }

    /// <summary>Writes that the last batch is complete, where no next intent says so.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_needsCompletion && IsCounting && _slabs.Count == 0)
            {
                await WriteCompleteAsync(cancellationToken);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// <see cref="Next"/> once the batch that is under way is done, and this owner has the partition still, which it writes: one that was
    /// taken over without knowing it would say less than is counted. Null where it is over.
    /// </summary>
    /// <exception cref="ChainFencedException">Another owner has the partition.</exception>
    public async Task<long?> CountedToAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (!IsCounting)
            {
                return null;
            }

            await WriteCompleteAsync(cancellationToken);
            return _record.Next;
        }
        catch (Exception error)
        {
            // Nobody knows whether it was stored.
            Abandon(error);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private Task WriteCompleteAsync(CancellationToken cancellationToken)
    {
        _needsCompletion = false;
        return WriteRecordAsync(
            _record = _record with { Pending = null, DedupFrom = Math.Min(_folder.DedupFrom, _record.Next), CountedUntil = _countedUntil },
            cancellationToken);
    }

    /// <summary>Steps 3 and 4: the windows, then what is written for the whole batch.</summary>
    private async Task DeliverAsync(FoldedBatch folded, long end, CancellationToken cancellationToken)
    {
        _touched.Note(folded.Hours, end);
        IReadOnlyDictionary<int, FinalMark> finals = await NoteOldHoursAsync(folded, end, cancellationToken);
        foreach (FoldedWindow window in folded.Windows)
        {
            if (window.Slot.TopKind != TargetKind.None)
            {
                await _tops.LoadAsync(window.Slot.TopKind, window.Slot.Key.Hour, cancellationToken);
            }
        }

        IReadOnlyList<FoldedWindow> left = folded.Windows;
        while (true)
        {
            var delivery = new Delivery(left, end, _record.Stamp, finals);
            int lanes = Math.Min(_options.InFlight, left.Count);
            var running = new Task[lanes];
            for (int lane = 0; lane < lanes; lane++)
            {
                running[lane] = LaneAsync(delivery, cancellationToken);
            }

            await Task.WhenAll(running);
            if (delivery.Refused.Count == 0)
            {
                break;
            }

            // Rows with a stamp above ours: another owner's, then this write fails and we are over; or somebody
            // else's, then the batch goes on with a stamp above them.
            await WriteRecordAsync(
                _record = _record with { Stamp = Math.Max(_record.Stamp, delivery.HighestStamp) + 1000 }, cancellationToken);
            left = delivery.Refused;
        }

        if (folded.Unreadable > 0 && DeadLetters is not null)
        {
            await RetryAsync(() => SetAsideAsync(end, cancellationToken), cancellationToken);
        }

        IReadOnlyList<TopList> tops = _tops.TakeChanged();
        var rows = new BatchRows(_record.Chain, end, _record.Stamp, folded.Hours, tops, folded.Pages);
        await RetryAsync(() => _batches.WriteAsync(rows, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Says that hours have clicks which no reconciliation has covered, before anybody can read these clicks. Hours that
    /// ended just now are in no reconciliation yet, and for them it is soon enough with the rows of the batch. The clock
    /// decides no count here, only whether the same is written once or twice.
    /// </summary>
    /// <returns>What of these hours was final until now: their windows keep what they had then.</returns>
    private async Task<IReadOnlyDictionary<int, FinalMark>> NoteOldHoursAsync(FoldedBatch folded, long end, CancellationToken cancellationToken)
    {
        long now = Math.Max(folded.LastTimestamp, _time.GetUtcNow().ToUnixTimeMilliseconds());
        int[] old = [.. folded.Hours.Where(hour => ((hour + 1L) * HourMilliseconds) + YoungMilliseconds <= now)];
        IReadOnlyDictionary<int, FinalMark> finals = FrozenDictionary<int, FinalMark>.Empty;
        if (old.Length > 0 && !_faults.HasFlag(ChainFaults.HoursLast))
        {
            var marks = new BatchRows(_record.Chain, end, _record.Stamp, [], [], []) { Opens = old };
            await RetryAsync(() => _batches.WriteAsync(marks, cancellationToken), cancellationToken);
            await RetryAsync(async () => finals = await _batches.ReadFinalsAsync(old, _record.Chain, cancellationToken), cancellationToken);
        }

        return finals;
    }

    private async Task LaneAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        string? series = null;
        while (delivery.TryNext(ref series, out FoldedWindow window))
        {
            for (int attempt = 0; ; attempt++)
            {
                WindowAck ack;
                try
                {
                    ack = await _windows.ApplyAsync(
                        window.Slot,
                        new WindowDelta(delivery.End, delivery.Stamp, attempt, window.Slot.LastStamp, window.Minutes, delivery.FinalOf(window.Slot.Key.Hour)));
                }
                catch (Exception error) when (error is not OperationCanceledException and not ChainFencedException && attempt < _options.MaxAttempts)
                {
                    if (attempt == SayAfter)
                    {
                        LogWindowFails(_logger, ForeseenFaults.Stack(error), window.Slot.Key.ToString(), error.Message);
                        Say($"the window {window.Slot.Key} could not be written, and is tried again: {error.Message}");
                    }

                    await PauseAsync(attempt, cancellationToken);
                    continue;
                }

                switch (ack.Outcome)
                {
                    case WindowOutcome.Refused:
                        window.Slot.LastStamp = null;
                        delivery.Refuse(window, ack.Stamp);
                        break;
                    case WindowOutcome.SetAside:
                        LogSetAside(_logger, window.Slot.Key.ToString());
                        window.Slot.LastStamp = ack.Stamp;
                        break;
                    default:
                        window.Slot.LastStamp = ack.Stamp;
                        window.Slot.HourClicks = ack.HourClicks;
                        NoteTop(_tops, window.Slot.TopKind, window.Slot.Key, ack, corrected: false);
                        break;
                }

                break;
            }
        }
    }

    private static void NoteTop(TopLists lists, TargetKind kind, WindowKey key, in WindowAck ack, bool corrected)
    {
        if (kind != TargetKind.None)
        {
            lists.Note(kind, key.Series[(key.Series.IndexOf(':', StringComparison.Ordinal) + 1)..], key.Hour, ack.HourClicks, ack.DayClicks, corrected);
        }
    }

    private async Task RetryAsync(Func<Task> call, CancellationToken cancellationToken)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await call();
                return;
            }
            catch (Exception error) when (error is not OperationCanceledException and not ChainFencedException && attempt < _options.MaxAttempts)
            {
                if (attempt == SayAfter)
                {
                    LogStoreFails(_logger, ForeseenFaults.Stack(error), _partition, error.Message);
                    Say($"the rows of a batch could not be written, and are tried again: {error.Message}");
                }

                await PauseAsync(attempt, cancellationToken);
            }
        }
    }

    private Task PauseAsync(int attempt, CancellationToken cancellationToken) =>
        Task.Delay(_options.RetryDelay * Math.Min(100, 1 << Math.Min(attempt, 7)), _time, cancellationToken);

    /// <summary>The windows of a batch, handed out to the lanes one by one.</summary>
    private sealed class Delivery(IReadOnlyList<FoldedWindow> windows, long end, long stamp, IReadOnlyDictionary<int, FinalMark> finals)
    {
        // The windows of one series go through one lane, one after the other: each answers with the clicks of its day
        // too, and an older answer that arrives after a later one would put an older count into the day's top list.
        private readonly Queue<List<FoldedWindow>> _series =
            new(windows.GroupBy(window => window.Slot.Key.Series, StringComparer.Ordinal).Select(series => series.ToList()));

        private readonly Dictionary<string, Queue<FoldedWindow>> _taken = new(StringComparer.Ordinal);

        public long End => end;

        public long Stamp => stamp;

        public List<FoldedWindow> Refused { get; } = [];

        public long HighestStamp { get; private set; }

        public FinalMark? FinalOf(int hour) => finals.TryGetValue(hour, out FinalMark final) ? final : null;

        /// <summary>The next window of the lane's series, or of a series that no lane has.</summary>
        public bool TryNext(ref string? series, out FoldedWindow window)
        {
            if (series is not null && _taken[series].TryDequeue(out window))
            {
                return true;
            }

            if (!_series.TryDequeue(out List<FoldedWindow>? next))
            {
                window = default;
                return false;
            }

            series = next[0].Slot.Key.Series;
            _taken[series] = new Queue<FoldedWindow>(next);
            window = _taken[series].Dequeue();
            return true;
        }

        public void Refuse(in FoldedWindow window, long rowStamp)
        {
            Refused.Add(window);
            HighestStamp = Math.Max(HighestStamp, rowStamp);
        }
    }

    [LoggerMessage(EventId = 2003, Level = LogLevel.Warning, Message = "window {Window} could not be written, and is tried again: {Reason}")]
    private static partial void LogWindowFails(ILogger logger, Exception? error, string window, string reason);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Error, Message = "window {Window} was found older than it was written: it is set aside until it is recounted")]
    private static partial void LogSetAside(ILogger logger, string window);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Warning, Message = "partition {Partition}: the store refused the rows of a batch; they are written again: {Reason}")]
    private static partial void LogStoreFails(ILogger logger, Exception? error, int partition, string reason);
}
