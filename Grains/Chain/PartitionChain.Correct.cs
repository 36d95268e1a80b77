using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Chain;

/// <summary>One window's recount.</summary>
/// <param name="Key">The window.</param>
/// <param name="Run">The run that recounted it.</param>
/// <param name="Upto">Every click below this offset is in the counts.</param>
/// <param name="Minutes">60 counts, or null where minutes are not kept any more.</param>
/// <param name="Quarters">4 counts.</param>
/// <param name="MarksHour">Whether its hour is noted as one that has clicks.</param>
/// <param name="HourFloor">The floor that the top list of its kind and hour should have where it is higher; null for none.</param>
/// <param name="DayFloor">The same of its day.</param>
public sealed record Correction(
    WindowKey Key, string Run, long Upto, long[]? Minutes, long[] Quarters, bool MarksHour = false, long? HourFloor = null, long? DayFloor = null)
{
    /// <summary>What a partition was asked for.</summary>
    public static Correction Of(int chain, WindowRecount asked)
    {
        ArgumentNullException.ThrowIfNull(asked);
        return new Correction(
            new WindowKey(asked.Series, asked.Hour, chain), asked.Run, asked.Upto, asked.Minutes, asked.Quarters, asked.MarksHour, asked.HourFloor, asked.DayFloor);
    }
}

/// <summary>A chain of this partition whose log was closed before the one that is counted took its place.</summary>
/// <param name="Number">The number that its windows carry.</param>
/// <param name="At">The offset that it was counted to.</param>
public readonly record struct ClosedChain(int Number, long At);

/// <content>Corrections: between two batches, under an intent of their own.</content>
public sealed partial class PartitionChain
{
    private const int MaxCorrections = 1000;
    private const int FirstStep = 1000;

    /// <summary>What is further ahead is no clock's: a hundred years, in microseconds.</summary>
    private const long MostAhead = 100L * 365 * 24 * HourMilliseconds * 1000;

    /// <summary>Puts recounted windows in place; answers the outcome of each, in order.</summary>
    /// <param name="corrections">At most 1,000.</param>
    /// <param name="cancellationToken">Ends it; what was corrected stays.</param>
    /// <param name="closed">
    /// The chain whose windows they are, where it is not the one that is counted: nothing comes to it any more, and the intents of this one
    /// fence its corrections, too.
    /// </param>
    public async Task<IReadOnlyList<WindowOutcome>> CorrectAsync(
        IReadOnlyList<Correction> corrections, CancellationToken cancellationToken, ClosedChain? closed = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(corrections.Count, MaxCorrections);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ThrowIfOver();
            foreach (Correction correction in corrections)
            {
                // The next batch starts at Next: a recount that already holds some of its clicks would count them twice.
                long counted = closed?.At ?? _record.Next;
                if (correction.Upto > counted)
                {
                    throw new ArgumentException(
                        $"the recount of {correction.Key} reaches {correction.Upto}; partition {_partition} is counted up to {counted}", nameof(corrections));
                }
            }

            try
            {
                return await CorrectAllAsync(corrections, closed, cancellationToken);
            }
            catch (Exception error)
            {
                // Nobody knows which intent was stored, and top lists may have been taken that were not: as after a
                // batch that failed, this owner is over.
                Abandon(error);
                throw;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<WindowOutcome[]> CorrectAllAsync(IReadOnlyList<Correction> corrections, ClosedChain? closed, CancellationToken cancellationToken)
    {
        // The wall clock only orders this write after a foreign one; it decides no count.
        long stamp = Math.Max(_record.Stamp + 1000, _time.GetUtcNow().ToUnixTimeMilliseconds() * 1000);
        stamp = await IntendAsync(stamp, cancellationToken);
        var outcomes = new WindowOutcome[corrections.Count];

        // Lists in memory may be right where the stored ones were changed: what is written from now on is made of the stored ones.
        TopLists lists = closed is { } other ? new TopLists(_batches, other.Number) : _tops;
        lists.Forget();
        for (int n = 0; n < corrections.Count; n++)
        {
            Correction correction = corrections[n];
            WindowAck ack;
            long step = FirstStep;
            while ((ack = await CorrectOneAsync(correction, stamp, closed?.At ?? _record.Next, cancellationToken)).Outcome == WindowOutcome.Refused
                && Above(Math.Max(stamp, ack.Stamp), ref step) is long above)
            {
                stamp = await IntendAsync(above, cancellationToken);
            }

            outcomes[n] = ack.Outcome;
            if (ack.Outcome is WindowOutcome.Applied or WindowOutcome.Repeated)
            {
                TargetKind kind = TopKind(correction.Key.Series);
                if (kind != TargetKind.None)
                {
                    await lists.LoadAsync(kind, correction.Key.Hour, cancellationToken);
                    NoteTop(lists, kind, correction.Key, ack, corrected: true);
                }
            }
        }

        // What the folder remembers of these windows is not their last stamp any more, and an activation that slept through the
        // correction may remember the same: all read their rows again. The hours are marked, too: whoever remembers their days
        // reads them again.
        Correction[] done = [.. corrections.Where((_, n) => outcomes[n] is WindowOutcome.Applied or WindowOutcome.Repeated)];
        if (closed is null)
        {
            _folder.Forget(corrections.Select(each => each.Key.Hour).ToHashSet());
        }

        if (done.Length == corrections.Count)
        {
            Array.ForEach(done, each => LowerFloors(lists, each, closed is not null));
        }

        int[] hours = [.. done.Select(each => each.Key.Hour).Distinct()];

        // As if the next batch had touched it: a batch that did is below that, and whoever waits for its end waits for a little more.
        int[] marked = [.. done.Where(each => each.MarksHour).Select(each => each.Key.Hour).Distinct()];
        await WriteCorrectedAsync(closed ?? new ClosedChain(_record.Chain, _record.Next), lists.TakeChanged(), hours, marked, cancellationToken);
        return outcomes;
    }

    /// <summary>Lowers the floors of lists, unless clicks that the recount does not know may have raised them since: to a closed chain none come.</summary>
    private void LowerFloors(TopLists lists, Correction correction, bool isClosed)
    {
        int hour = correction.Key.Hour;
        int day = (int)Math.Floor(hour / 24.0);
        TargetKind kind = TopKind(correction.Key.Series);
        if (correction.HourFloor is long ofHour && (isClosed || _touched.NoneBeyond(correction.Upto, hour, hour + 1)))
        {
            lists.Lower(kind, TopSlice.Hour, hour, ofHour);
        }

        if (correction.DayFloor is long ofDay && (isClosed || _touched.NoneBeyond(correction.Upto, day * 24, (day + 1) * 24)))
        {
            lists.Lower(kind, TopSlice.Day, hour, ofDay);
        }
    }

    /// <summary>
    /// Writes lists and marks and reads them back: as with the windows, somebody's later time may stand above ours. What cannot be put in
    /// place the next recount finds.
    /// </summary>
    private async Task WriteCorrectedAsync(ClosedChain of, IReadOnlyList<TopList> tops, int[] hours, int[] marked, CancellationToken cancellationToken)
    {
        long step = FirstStep;
        while (true)
        {
            var rows = new BatchRows(of.Number, of.At, _record.Stamp, marked, tops, []) { Corrected = hours };
            await RetryAsync(() => _batches.WriteAsync(rows, cancellationToken), cancellationToken);
            if (_faults.HasFlag(ChainFaults.NoReadBack))
            {
                return;
            }

            var hidden = new List<TopList>();
            foreach (TopList list in tops)
            {
                TopList? stored = null;
                await RetryAsync(async () => stored = await _batches.ReadTopAsync(list.Key, cancellationToken), cancellationToken);
                if (stored is null || stored.Floor != list.Floor || !stored.Entries.SequenceEqual(list.Entries))
                {
                    hidden.Add(list);
                }
            }

            var unmarked = new List<int>();
            foreach (int hour in marked)
            {
                long? upto = null;
                await RetryAsync(async () => upto = await _batches.ReadHourAsync(hour, of.Number, cancellationToken), cancellationToken);
                if (upto != of.At)
                {
                    unmarked.Add(hour);
                }
            }

            if ((hidden.Count == 0 && unmarked.Count == 0) || Above(_record.Stamp, ref step) is not long above)
            {
                return;
            }

            tops = hidden;
            marked = [.. unmarked];
            await IntendAsync(above, cancellationToken);
        }
    }

    /// <summary>
    /// A stamp to try next; null where no clock can be the reason. Each is twice as far above, because what a clock ahead of ours
    /// has deleted or written over does not say how far it is ahead.
    /// </summary>
    private long? Above(long stamp, ref long step)
    {
        if (stamp > (_time.GetUtcNow().ToUnixTimeMilliseconds() * 1000) + MostAhead)
        {
            return null;
        }

        stamp += step;
        step *= 2;
        return stamp;
    }

    /// <summary>The kind whose top lists a series is in; none for all but one target's whole.</summary>
    private static TargetKind TopKind(string series) =>
        SeriesName.TryParse(series, out SeriesName name) && name is { Base: RollupBase.Target, Country: null, Device: null }
            ? name.Kind
            : TargetKind.None;

    private async Task<long> IntendAsync(long stamp, CancellationToken cancellationToken)
    {
        if (_faults.HasFlag(ChainFaults.NoCorrectionIntent))
        {
            return stamp;
        }

        await WriteRecordAsync(
            _record = _record with
            {
                Stamp = stamp,
                Pending = new PendingBatch(_record.Next, _record.Next, _rules.Id),
                DedupFrom = Math.Min(_folder.DedupFrom, _record.Next),
            },
            cancellationToken);
        _needsCompletion = true;
        return stamp;
    }

    private async Task<WindowAck> CorrectOneAsync(Correction correction, long stamp, long counted, CancellationToken cancellationToken)
    {
        WindowAck ack = default;
        int attempt = 0;
        await RetryAsync(
            async () => ack = await _windows.CorrectAsync(
                correction.Key,
                new WindowCorrection(
                    correction.Upto, stamp, attempt++, correction.Run, correction.Minutes, correction.Quarters, counted)),
            cancellationToken);
        return ack;
    }
}
