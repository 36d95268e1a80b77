using System.Globalization;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>
/// Counts as they stood at a version of the ledger: those of now, less what windows have now and plus what they had then, for the
/// windows that a later finalisation changed. Only of hours that are final now and were at that version.
/// </summary>
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

            IReadOnlyDictionary<string, SeriesCounts> counts = await RangeCounter.CountAsync(reader, series, bounds, cancellationToken);
            if (counts.Values.Any(count => count.Incomplete))
            {
                throw new NotFinalException("A row of the range cannot be read, or holds another state than was written, and is set aside: the next run over its hours counts them anew.");
            }

            foreach (HourMark open in await ledger.ReadOpenHoursAsync(fromHour, toHour, 1, cancellationToken))
            {
                throw NotFinal(open.Hour);
            }

            Dictionary<(int Hour, int Chain), int> changed = await ChangedAsync(fromHour, toHour, version, before.Lost ?? [], cancellationToken);
            if (changed.Count > 0)
            {
                await PutBackAsync(counts, bounds, changed, cancellationToken);
            }

            // Whatever became final meanwhile may be in some of it and not in the rest.
            if ((await AskAsync(cancellationToken)).Version == before.Version)
            {
                return (counts, new RangeFinality(bounds[^1], version, [], before.Through));
            }
        }

        throw new NotFinalException("Hours of the range become final just now; try again.");
    }

    /// <summary>The hours that later finalisations changed, each with the ordinal of the one that the version saw.</summary>
    /// <exception cref="HistoryDamagedException">One of them may have changed windows of which nothing is left to say so.</exception>
    private async Task<Dictionary<(int Hour, int Chain), int>> ChangedAsync(
        int fromHour, int toHour, long version, IReadOnlyList<LostHistory> lost, CancellationToken cancellationToken)
    {
        var changed = new Dictionary<(int Hour, int Chain), int>();
        var finals = new HashSet<(int Hour, int Chain)>();
        foreach (HourFinal final in await ledger.ReadFinalsAsync(fromHour, toHour, cancellationToken))
        {
            finals.Add((final.Hour, final.Chain));
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
            if (mark.Upto > 0 && !finals.Contains((mark.Hour, mark.Chain)))
            {
                throw new NotFinalException(Text($"The hour {Time(mark.Hour)} has clicks, and no row of final_hours says at which versions it was final: a run over it makes it final anew."));
            }
        }

        return changed;
    }

    private async Task PutBackAsync(
        IReadOnlyDictionary<string, SeriesCounts> counts, long[] bounds, Dictionary<(int Hour, int Chain), int> changed, CancellationToken cancellationToken)
    {
        int first = changed.Keys.Min(key => key.Hour);
        int end = changed.Keys.Max(key => key.Hour) + 1;
        string[] series = [.. counts.Keys];
        IReadOnlyList<HistoryMark> marks = await ledger.ReadHistoryMarksAsync(series, first, end, cancellationToken);
        IReadOnlyList<HistoryRow> rows = await ledger.ReadHistoryAsync(series, first, end, cancellationToken);
        if (HistoryMark.Differences(
            marks.Where(mark => IsLater(mark.Key, mark.Ordinal)).GroupBy(mark => mark.Key).Select(ofWindow => ofWindow.MinBy(mark => mark.Ordinal)), rows).FirstOrDefault() is { } damage)
        {
            throw new HistoryDamagedException($"The numbers of this version cannot be told: {damage}. Bring it back from a backup of the store.");
        }

        Dictionary<WindowKey, HistoryRow> then = rows.Where(row => IsLater(row.Key, row.Ordinal))
            .GroupBy(row => row.Key)
            .ToDictionary(rows => rows.Key, rows => rows.MinBy(row => row.Ordinal)!);
        if (then.Count == 0)
        {
            return;
        }

        string[] affected = [.. then.Keys.Select(key => key.Series).Distinct(StringComparer.Ordinal)];
        foreach (HourRow now in await reader.ReadHoursAsync(affected, first, end, withMinutes: true, cancellationToken))
        {
            if (then.TryGetValue(new WindowKey(now.Series, now.Hour, now.Chain), out HistoryRow? row))
            {
                bool withMinutes = now.Minutes is not null && row.Minutes is not null;
                RangeCounter.Add(counts[now.Series].Points, bounds, now.Hour, withMinutes ? now.Minutes! : now.Quarters, -1);
                RangeCounter.Add(counts[now.Series].Points, bounds, now.Hour, withMinutes ? row.Minutes! : row.Quarters, 1);
                then.Remove(row.Key);
            }
        }

        foreach (HistoryRow row in then.Values)
        {
            RangeCounter.Add(counts[row.Key.Series].Points, bounds, row.Key.Hour, row.Minutes ?? row.Quarters, 1);
        }

        bool IsLater(WindowKey key, int ordinal) => changed.TryGetValue((key.Hour, key.Chain), out int seen) && ordinal > seen;
    }

    private async Task<LedgerPosition> AskAsync(CancellationToken cancellationToken) =>
        await finality.AskAsync(cancellationToken) ?? throw new StoreUnavailableException("the ledger does not answer now");

    private static NotFinalException NotFinal(int hour, long? version = null) => new(
        version is null ? $"The hour {Time(hour)} is not final." : Text($"The hour {Time(hour)} was not final at version {version}."));

    private static string Time(int hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600L).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
