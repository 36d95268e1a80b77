using System.Globalization;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>
/// Counts as they stood at a version of the ledger: those of now, less what windows have now and plus what they had then, for the
/// windows that a later finalisation changed. Only of hours that were final then.
/// </summary>
/// <remarks>
/// Clicks may have come to an hour since, and be counted, and wait for the run that makes it final anew. Its windows then have in their rows
/// what they had at the finalisation before. Such rows change while they are read, and the days that they are in with them: so those days are
/// added up row by row, each of one moment, and all others as ever.
/// </remarks>
internal sealed class VersionedCounts(ICountReader reader, ILedgerStore ledger, AnswerFinality finality)
{
    private const int Tries = 3;

    /// <summary>Counts each series between the bounds.</summary>
    /// <exception cref="NotFinalException">An hour is not final, or was not then.</exception>
    /// <exception cref="HistoryDamagedException">What was kept of the version is gone or altered.</exception>
    /// <exception cref="StoreUnavailableException">The ledger does not answer now.</exception>
    public async Task<(IReadOnlyDictionary<string, SeriesCounts> Counts, RangeFinality Finality)> CountAsync(
        IReadOnlyList<string> series, long[] bounds, long version, CancellationToken cancellationToken)
    {
        int fromHour = (int)SliceSums.FloorDiv(bounds[0], 60);
        int toHour = (int)SliceSums.FloorDiv(bounds[^1] + 59, 60);
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            LedgerPosition before = await AskAsync(cancellationToken);
            if (version > before.Version || version < 0)
            {
                throw new NotFinalException(Text($"There is no version {version} of the ledger; the latest is {before.Version}."));
            }

            if (toHour > before.Through)
            {
                throw NotFinal(Math.Max(fromHour, before.Through));
            }

            IReadOnlyList<HourMark> open = await ledger.ReadOpenHoursAsync(fromHour, toHour, int.MaxValue, cancellationToken);
            Dictionary<(int Hour, int Chain), HourFinal> finals =
                (await ledger.ReadFinalsAsync(fromHour, toHour, cancellationToken)).ToDictionary(final => (final.Hour, final.Chain));
            var late = new Dictionary<(int Hour, int Chain), FinalMark>();
            foreach (HourMark mark in open)
            {
                // Whatever else opens an hour changes it, and no click's row says how it was before.
                late[(mark.Hour, mark.Chain)] = finals.TryGetValue((mark.Hour, mark.Chain), out HourFinal? final) && mark.Upto > final.Upto && before.IsSettled(version)
                    ? new FinalMark(final.Upto, final.Run, final.Versions[^1])
                    : throw NotFinal(mark.Hour);
            }

            HashSet<int> days = [.. late.Keys.Select(of => DayOf(of.Hour))];
            IReadOnlyDictionary<string, SeriesCounts> counts = await RangeCounter.CountWithoutAsync(reader, series, bounds, days, cancellationToken);
            if (counts.Values.Any(count => count.Incomplete))
            {
                throw SetAside();
            }

            Dictionary<(int Hour, int Chain), int> changed = await ChangedAsync(fromHour, toHour, version, finals, before.Lost ?? [], cancellationToken);
            foreach ((int Hour, int Chain) of in late.Keys)
            {
                // A run that is under way may have kept it already.
                changed.TryAdd(of, finals[of].Versions.Count - 1);
            }

            Dictionary<WindowKey, HistoryRow> then = changed.Count > 0 ? await KeptAsync([.. counts.Keys], changed, cancellationToken) : [];
            await PutBackAsync(counts, bounds, then, days, cancellationToken);
            await AddStandingAsync(counts, bounds, then, late, days, cancellationToken);

            // Whatever became final meanwhile may be in some of it and not in the rest; and clicks that came to another hour.
            open = await ledger.ReadOpenHoursAsync(fromHour, toHour, int.MaxValue, cancellationToken);
            if (open.All(mark => late.ContainsKey((mark.Hour, mark.Chain))) && (await AskAsync(cancellationToken)).Version == before.Version)
            {
                return (counts, new RangeFinality(bounds[^1], version, [], before.Through));
            }
        }

        throw new NotFinalException("Hours of the range become final, or get clicks, just now; try again.");
    }

    /// <summary>The hours that later finalisations changed, each with the ordinal of the one that the version saw.</summary>
    /// <exception cref="HistoryDamagedException">One of them may have changed windows of which nothing is left to say so.</exception>
    private async Task<Dictionary<(int Hour, int Chain), int>> ChangedAsync(
        int fromHour, int toHour, long version, Dictionary<(int Hour, int Chain), HourFinal> finals, IReadOnlyList<LostHistory> lost, CancellationToken cancellationToken)
    {
        var changed = new Dictionary<(int Hour, int Chain), int>();
        foreach (HourFinal final in finals.Values.OrderBy(one => one.Hour))
        {
            int ordinal = -1;
            while (ordinal + 1 < final.Versions.Count && final.Versions[ordinal + 1] <= version)
            {
                ordinal++;
            }

            if (ordinal < 0)
            {
                throw NotFinal(final.Hour, version);
            }

            if (ordinal + 1 < final.Versions.Count)
            {
                changed[(final.Hour, final.Chain)] = ordinal;
                if (lost.FirstOrDefault(run => final.Versions.Any(later => later > version && later > run.AfterVersion && later <= run.ToVersion)) is { } gone)
                {
                    throw new HistoryDamagedException(Text(
                        $"The numbers of version {version} cannot be told for the hour {Time(final.Hour)}: {gone.Rows} rows that run {gone.Run} kept of it and others are gone with their marks (tables history, history_marks). Bring them back from a backup of the store."));
                }
            }
        }

        // An hour with clicks is open or final. One that is neither is not one without clicks: somebody took its finalisations away.
        foreach (HourMark mark in await ledger.ReadHoursAsync(fromHour, toHour, cancellationToken))
        {
            if (mark.Upto > 0 && !finals.ContainsKey((mark.Hour, mark.Chain)))
            {
                throw new NotFinalException(Text($"The hour {Time(mark.Hour)} has clicks, and no row of final_hours says at which versions it was final: a run over it makes it final anew."));
            }
        }

        return changed;
    }

    /// <summary>What windows had at the version, as far as later finalisations kept it.</summary>
    /// <exception cref="HistoryDamagedException">Some of it is gone or altered.</exception>
    private async Task<Dictionary<WindowKey, HistoryRow>> KeptAsync(
        string[] series, Dictionary<(int Hour, int Chain), int> changed, CancellationToken cancellationToken)
    {
        int first = changed.Keys.Min(key => key.Hour);
        int end = changed.Keys.Max(key => key.Hour) + 1;
        IReadOnlyList<HistoryMark> marks = await ledger.ReadHistoryMarksAsync(series, first, end, cancellationToken);
        IReadOnlyList<HistoryRow> rows = await ledger.ReadHistoryAsync(series, first, end, cancellationToken);
        if (HistoryMark.Differences(
            marks.Where(mark => IsLater(mark.Key, mark.Ordinal)).GroupBy(mark => mark.Key).Select(ofWindow => ofWindow.MinBy(mark => mark.Ordinal)), rows).FirstOrDefault() is { } damage)
        {
            throw new HistoryDamagedException($"The numbers of this version cannot be told: {damage}. Bring it back from a backup of the store.");
        }

        return rows.Where(row => IsLater(row.Key, row.Ordinal)).GroupBy(row => row.Key).ToDictionary(rows => rows.Key, rows => rows.MinBy(row => row.Ordinal)!);

        bool IsLater(WindowKey key, int ordinal) => changed.TryGetValue((key.Hour, key.Chain), out int seen) && ordinal > seen;
    }

    /// <summary>Puts windows back into counts that have what they are now, but for those of some days.</summary>
    private async Task PutBackAsync(
        IReadOnlyDictionary<string, SeriesCounts> counts, long[] bounds, Dictionary<WindowKey, HistoryRow> then, HashSet<int> without, CancellationToken cancellationToken)
    {
        Dictionary<WindowKey, HistoryRow> left = then.Where(one => !without.Contains(DayOf(one.Key.Hour))).ToDictionary();
        if (left.Count == 0)
        {
            return;
        }

        string[] affected = [.. left.Keys.Select(key => key.Series).Distinct(StringComparer.Ordinal)];
        foreach (HourRow now in await reader.ReadHoursAsync(
            affected, left.Keys.Min(key => key.Hour), left.Keys.Max(key => key.Hour) + 1, withMinutes: true, cancellationToken))
        {
            if (left.Remove(new WindowKey(now.Series, now.Hour, now.Chain), out HistoryRow? row))
            {
                bool withMinutes = now.Minutes is not null && row.Minutes is not null;
                RangeCounter.Add(counts[now.Series].Points, bounds, now.Hour, withMinutes ? now.Minutes! : now.Quarters, -1);
                RangeCounter.Add(counts[now.Series].Points, bounds, now.Hour, withMinutes ? row.Minutes! : row.Quarters, 1);
            }
        }

        foreach (HistoryRow row in left.Values)
        {
            RangeCounter.Add(counts[row.Key.Series].Points, bounds, row.Key.Hour, row.Minutes ?? row.Quarters, 1);
        }
    }

    /// <summary>Adds what windows of some days had at the version.</summary>
    /// <exception cref="NotFinalException">A row does not tell, or is set aside.</exception>
    private async Task AddStandingAsync(
        IReadOnlyDictionary<string, SeriesCounts> counts, long[] bounds, Dictionary<WindowKey, HistoryRow> then, Dictionary<(int Hour, int Chain), FinalMark> late,
        HashSet<int> days, CancellationToken cancellationToken)
    {
        bool onQuarters = bounds.All(bound => bound % RangeBounds.QuarterMinutes == 0);
        string[] series = [.. counts.Keys];
        foreach ((int fromDay, int toDay) in Stretches(days))
        {
            foreach (StandingRow standing in await reader.ReadStandingAsync(series, fromDay * 24, toDay * 24, cancellationToken))
            {
                HourRow row = standing.Row;
                if (row.SetAside)
                {
                    throw SetAside();
                }

                Add(
                    new WindowKey(row.Series, row.Hour, row.Chain),
                    then.Remove(new WindowKey(row.Series, row.Hour, row.Chain), out HistoryRow? kept) ? kept.Minutes ?? kept.Quarters
                    : !late.TryGetValue((row.Hour, row.Chain), out FinalMark final) ? row.Minutes ?? row.Quarters
                    : standing.CountsAt(final) ?? throw new NotFinalException($"The hour {Time(row.Hour)} is not final: clicks or a correction came to it, and what it had before is told again once the next run has covered it."));
            }
        }

        foreach (HistoryRow row in then.Values.Where(row => days.Contains(DayOf(row.Key.Hour))))
        {
            Add(row.Key, row.Minutes ?? row.Quarters);
        }

        void Add(WindowKey key, long[] of)
        {
            if (!onQuarters && of.Length == 4 && of.AsSpan().ContainsAnyExcept(0))
            {
                throw new NotFinalException($"The minutes of {Time(key.Hour)} expired just now; try again.");
            }

            RangeCounter.Add(counts[key.Series].Points, bounds, key.Hour, of, 1);
        }
    }

    /// <summary>Days that follow each other, together.</summary>
    private static IEnumerable<(int From, int To)> Stretches(IEnumerable<int> days)
    {
        (int From, int To)? stretch = null;
        foreach (int day in days.Order())
        {
            if (stretch is { } last && day > last.To)
            {
                yield return last;
                stretch = null;
            }

            stretch = (stretch?.From ?? day, day + 1);
        }

        if (stretch is { } end)
        {
            yield return end;
        }
    }

    private static int DayOf(int hour) => (int)SliceSums.FloorDiv(hour, 24);

    private static NotFinalException SetAside() =>
        new("A row of the range cannot be read, or holds another state than was written, and is set aside: the next run over its hours counts them anew.");

    private async Task<LedgerPosition> AskAsync(CancellationToken cancellationToken) =>
        await finality.AskAsync(cancellationToken) ?? throw new StoreUnavailableException("the ledger does not answer now");

    private static NotFinalException NotFinal(int hour, long? version = null) => new(
        version is null ? $"The hour {Time(hour)} is not final." : Text($"The hour {Time(hour)} was not final at version {version}."));

    private static string Time(int hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600L).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
