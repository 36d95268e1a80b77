using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Chain;

/// <summary>
/// One window: applies each batch once, and writes absolute counts in the order of their stamps. Calls come one at a
/// time. What it holds in memory is only trusted while the chain's last stamp says that it is the latest.
/// </summary>
public sealed class WindowLedger
{
    private readonly IWindowStore _store;
    private readonly ChainFaults _faults;
    private WindowRow? _row;

    /// <param name="store">The row, which is read with the first call.</param>
    public WindowLedger(IWindowStore store)
        : this(store, ChainFaults.None)
    {
    }

    internal WindowLedger(IWindowStore store, ChainFaults faults)
    {
        _store = store;
        _faults = faults;
    }

    /// <summary>Adds a batch's clicks, once.</summary>
    public Task<WindowAck> ApplyAsync(WindowDelta delta)
    {
        // Nearly always the row is known, and then the call waits for one thing alone, the write: each further wait would
        // cost it a microsecond.
        return Trusts(delta.PreviousStamp) ? ApplyAsync(delta, _row!) : ReadAndApplyAsync(delta);
    }

    private async Task<WindowAck> ReadAndApplyAsync(WindowDelta delta) => await ApplyAsync(delta, await ReadAsync());

    private Task<WindowAck> ApplyAsync(WindowDelta delta, WindowRow row)
    {
        if (row.SetAside)
        {
            // The clicks are not in the row, but upto must pass them: a recount that ends before them would else be
            // taken, and they would be missing for good.
            if (delta.End > row.Upto)
            {
                row.Upto = delta.End;
                return WriteAsync(row, Math.Max(delta.Stamp + delta.Attempt, row.Stamp + 1), WindowOutcome.SetAside);
            }

            return Task.FromResult(Answer(WindowOutcome.SetAside, row));
        }

        if (delta.PreviousStamp is long written && row.Stamp < written && !WasForgotten(row, written) && !_faults.HasFlag(ChainFaults.NoStalenessCheck))
        {
            // The store went back: counts that this chain had written are gone from the row, and only a recount
            // knows them. Whatever were added from here on would look right and be wrong.
            row.SetAside = true;
            row.Upto = Math.Max(row.Upto, delta.End);
            return WriteAsync(row, Math.Max(delta.Stamp + delta.Attempt, row.Stamp + 1), WindowOutcome.SetAside);
        }

        if (delta.End <= row.Upto && !_faults.HasFlag(ChainFaults.NoUpto))
        {
            return Task.FromResult(Answer(WindowOutcome.Repeated, row));
        }

        long stamp = delta.Stamp + delta.Attempt;
        if (stamp <= row.Stamp && !_faults.HasFlag(ChainFaults.NoStamps))
        {
            return Task.FromResult(Answer(WindowOutcome.Refused, row));
        }

        // The first click behind a finalisation: what the row had then is told for its version until there is a next one.
        if (delta.Final is { } final && delta.End > final.Upto && row.AtFinal?.Version != final.Version && final.IsStateOf(row.Upto, row.Run))
        {
            row.AtFinal = new CountsAtFinal(final.Version, [.. row.Minutes ?? row.Quarters]);
        }

        // A row whose minutes were forgotten never gets some of them again: they would look like all of them.
        bool withMinutes = row.Minutes is not null;
        foreach (MinuteCount count in delta.Minutes.Span)
        {
            row.Quarters[count.Minute / 15] += count.Clicks;
            if (withMinutes)
            {
                row.Minutes![count.Minute] += count.Clicks;
            }
        }

        row.Upto = delta.End;
        return WriteAsync(row, _faults.HasFlag(ChainFaults.NoStamps) ? row.Stamp + 1 : stamp, WindowOutcome.Applied);
    }

    /// <summary>Puts a recount's result in place, and reads it back.</summary>
    public async Task<WindowAck> CorrectAsync(WindowCorrection correction)
    {
        WindowRow row = await ReadAsync();
        if (row.Run == correction.Run && !row.SetAside && row.DayAgrees)
        {
            return Answer(WindowOutcome.Repeated, row);
        }

        // A row that says more than its chain has counted would take the chain's next batches for applied ones.
        bool impossible = correction.Counted > 0 && row.Upto > correction.Counted;
        if (row.Upto > correction.Upto && !impossible)
        {
            return Answer(WindowOutcome.Later, row);
        }

        long stamp = correction.Stamp + correction.Attempt;
        if (stamp <= row.Stamp)
        {
            return Answer(WindowOutcome.Refused, row);
        }

        row.Minutes = correction.Minutes is null ? null : [.. correction.Minutes];
        row.Quarters = [.. correction.Quarters];
        row.Upto = correction.Upto;
        row.SetAside = false;
        row.Run = correction.Run;
        WindowAck written = await WriteAsync(row, stamp, WindowOutcome.Applied);
        if (_faults.HasFlag(ChainFaults.NoReadBack))
        {
            return written;
        }

        // Something else may have written with a stamp above, to the row or to its part of the day: then this had no effect, though
        // it was acknowledged.
        row = await ReadAsync();
        return Answer(row.Stamp == stamp && row.Run == correction.Run && row.DayAgrees ? WindowOutcome.Applied : WindowOutcome.Refused, row);
    }

    /// <summary>
    /// No row, because its time was over: what it held is meant to be gone, and what comes now begins anew. A chain
    /// remembers the stamps of its windows for as long as it runs, which may be longer than rows are kept.
    /// </summary>
    private static bool WasForgotten(WindowRow row, long written) => row.Stamp == 0 && written < row.ForgottenBefore;

    private static WindowAck Answer(WindowOutcome outcome, WindowRow row) => new(outcome, row.Stamp, row.Clicks, row.DayClicks);

    /// <summary>Whether the row in memory is as the chain's last write left it: by the stamp that the chain knows.</summary>
    private bool Trusts(long? previousStamp) =>
        _row is not null && (previousStamp == _row.Stamp || _faults.HasFlag(ChainFaults.NoStalenessCheck));

    private async Task<WindowRow> ReadAsync()
    {
        _row = null;
        return _row = await _store.ReadAsync();
    }

    private async Task<WindowAck> WriteAsync(WindowRow row, long stamp, WindowOutcome outcome)
    {
        row.Stamp = stamp;
        try
        {
            await _store.WriteAsync(row);
        }
        catch
        {
            // Written or not: nobody knows. The memory is not what the store has for sure, so it goes.
            _row = null;
            throw;
        }

        return Answer(outcome, row);
    }
}
