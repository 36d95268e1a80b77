using System.Runtime.CompilerServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>
/// The ledger, and the store's hours, in memory: beside the windows and top lists of a simulated store. Each call is one effect of
/// the world, which may fail before or after it.
/// </summary>
internal sealed class MemoryLedger(World world, MemoryWindows windows, int chain) : ILedgerStore, IBatchStore, ICountReader
{
    /// <summary>How often an hour was read.</summary>
    public int HoursRead { get; private set; }

    /// <summary>Hears of each row of the ledger that is written.</summary>
    public Action<CorrectionRow>? Written { get; init; }

    public Dictionary<(int Hour, int Chain), long> Marks { get; } = [];

    /// <summary>A mark that a foreign client deleted under a clock ahead hides all that batches note up to its stamp.</summary>
    public Dictionary<int, long> MarksAhead { get; } = [];

    public Dictionary<(int Hour, int Chain), long> Open { get; } = [];

    public Dictionary<(int Hour, int Chain), HourFinal> Finals { get; } = [];

    public Dictionary<(long Run, WindowKey Key), CorrectionRow> Corrections { get; } = [];

    public Dictionary<(WindowKey Key, int Ordinal), HistoryRow> History { get; } = [];

    /// <summary>Hours that ended so long before the batch are noted before its windows: then a late click is never called final.</summary>
    public Task NoteAsync(IReadOnlyList<int> hours, long upto) => world.Effect("hours noted", () =>
    {
        Note(hours, upto, world.Now * 1000);
        return true;
    });

    public Task<IReadOnlyList<HourMark>> ReadOpenHoursAsync(int fromHour, int toHour, int limit, CancellationToken cancellationToken) =>
        world.Effect("open hours read", () => Of(Open, fromHour, toHour, limit));

    public Task<IReadOnlyList<HourMark>> ReadHoursAsync(int fromHour, int toHour, CancellationToken cancellationToken) =>
        world.Effect("hours read", () => Of(Marks, fromHour, toHour, int.MaxValue));

    public Task<IReadOnlyList<HourFinal>> ReadFinalsAsync(int fromHour, int toHour, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<HourFinal>>("finals read", () =>
            [.. Finals.Values.Where(final => final.Hour >= fromHour && final.Hour < toHour).OrderBy(final => final.Hour).ThenBy(final => final.Chain)]);

    public Task WriteFinalAsync(HourFinal final, CancellationToken cancellationToken) => world.Effect("final write", () =>
    {
        if (Finals.TryGetValue((final.Hour, final.Chain), out HourFinal? last) && Latest(last) >= Latest(final))
        {
            return false;
        }

        Finals[(final.Hour, final.Chain)] = final;
        if (Open.TryGetValue((final.Hour, final.Chain), out long upto) && upto <= final.Upto)
        {
            Open.Remove((final.Hour, final.Chain));
        }

        return true;
    });

    public Task ReopenAsync(int hour, int of, long version, CancellationToken cancellationToken) => world.Effect("reopen", () =>
    {
        Open.TryAdd((hour, of), Marks.GetValueOrDefault((hour, of)));
        return true;
    });

    public async IAsyncEnumerable<StoredWindow> ReadWindowsAsync(int hour, int of, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HoursRead++;
        string[] names = await world.Effect("windows read", () => windows.Rows.Keys.Where(key => key.Hour == hour && key.Chain == of).Select(key => key.Series)
            .Union(windows.Days.Keys.Where(key => key.Day == hour / 24).Select(key => key.Series)).Where(series => !windows.Unlisted.Contains((series, hour / 24)))
            .Order(StringComparer.Ordinal).ToArray());
        foreach (string series in names)
        {
            StoredWindow stored = await world.Effect("window scanned", () => Stored(new WindowKey(series, hour, of)));
            if (IsThere(stored))
            {
                yield return stored;
            }
        }
    }

    public Task<IReadOnlyList<StoredWindow>> FindWindowsAsync(IReadOnlyList<string> series, int hour, int of, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<StoredWindow>>("windows found", () => [.. series.Select(one => Stored(new WindowKey(one, hour, of)))
            .Where(IsThere)]);

    public int UnnamedParts => throw new NotSupportedException();

    public IAsyncEnumerable<StrayWindow> FindUnnamedAsync(int part, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<bool> RemoveAstrayAsync(WindowKey key, int day, CancellationToken cancellationToken) => throw new NotSupportedException();

    public bool IsReached(string series) => throw new NotSupportedException();

    public Task<bool> NameAsync(WindowKey key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task WriteCorrectionsAsync(IReadOnlyList<CorrectionRow> rows, CancellationToken cancellationToken) => world.Effect("corrections write", () =>
    {
        foreach (CorrectionRow row in rows)
        {
            Corrections[(row.Run, row.Key)] = row;
            Written?.Invoke(row);
        }

        return true;
    });

    public Task<IReadOnlyList<CorrectionRow>> ReadCorrectionsAsync(int hour, CorrectionRow? after, int limit, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<CorrectionRow>>("corrections read", () =>
            [.. Corrections.Values.Where(row => row.Key.Hour == hour).OrderBy(Order).Where(row => after is null || Order(row).CompareTo(Order(after)) > 0).Take(limit)]);

    public Task<IReadOnlyList<CorrectionRow>> ReadCorrectionsOfAsync(
        string series, int fromHour, int toHour, CorrectionRow? after, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task WriteHistoryAsync(IReadOnlyList<HistoryRow> rows, CancellationToken cancellationToken) => world.Effect("history write", () =>
    {
        foreach (HistoryRow row in rows)
        {
            History.TryAdd((row.Key, row.Ordinal), row);
        }

        return true;
    });

    public Task<IReadOnlyList<HistoryRow>> ReadHistoryAsync(IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<HistoryRow>>("history read", () =>
            [.. History.Values.Where(row => series.Contains(row.Key.Series) && row.Key.Hour >= fromHour && row.Key.Hour < toHour)]);

    public Task<IReadOnlyList<HistoryMark>> ReadHistoryMarksAsync(IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<HistoryMark>>("history marks read", () =>
            [.. History.Values.Where(row => series.Contains(row.Key.Series) && row.Key.Hour >= fromHour && row.Key.Hour < toHour).Select(HistoryMark.Of)]);

    public IAsyncEnumerable<HistoryMark> ScanHistoryMarksAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public async Task WriteAsync(BatchRows rows, CancellationToken cancellationToken)
    {
        await windows.WriteAsync(rows, cancellationToken);
        await world.Effect("hours write", () =>
        {
            Note(rows.Hours, rows.Upto, rows.Stamp);
            return true;
        });
    }

    public Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken) => windows.ReadTopAsync(key, cancellationToken);

    public Task<long?> ReadHourAsync(int hour, int of, CancellationToken cancellationToken) =>
        world.Effect<long?>("hour read", () => Marks.TryGetValue((hour, of), out long upto) ? upto : null);

    public Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int of, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyDictionary<int, FinalMark>>("finals read", () => Finals.Values.Where(final => final.Chain == of && hours.Contains(final.Hour))
            .ToDictionary(final => final.Hour, final => new FinalMark(final.Upto, final.Run, final.Versions[^1])));

    public Task<IReadOnlyList<StandingRow>> ReadStandingAsync(IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<StandingRow>>("standing rows read", () =>
            [.. windows.Rows.Where(pair => series.Contains(pair.Key.Series) && pair.Key.Hour >= fromHour && pair.Key.Hour < toHour).Select(pair => new StandingRow(
                new HourRow(pair.Key.Series, pair.Key.Hour, pair.Key.Chain, [.. pair.Value.Quarters], pair.Value.Minutes?.ToArray(), pair.Value.SetAside),
                pair.Value.Upto, pair.Value.Run, pair.Value.AtFinal))]);

    public Task<IReadOnlyList<HourRow>> ReadHoursAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, bool withMinutes, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<HourRow>>("hour rows read", () =>
            [.. windows.Rows.Where(pair => series.Contains(pair.Key.Series) && pair.Key.Hour >= fromHour && pair.Key.Hour < toHour)
                .Select(pair => new HourRow(pair.Key.Series, pair.Key.Hour, pair.Key.Chain, [.. pair.Value.Quarters], withMinutes ? pair.Value.Minutes?.ToArray() : null, pair.Value.SetAside))]);

    public Task<IReadOnlyList<DayRow>> ReadDaysAsync(IReadOnlyList<string> series, int fromDay, int toDay, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<DayRow>>("days read", () =>
            [.. windows.Days.Where(pair => series.Contains(pair.Key.Series) && pair.Key.Day >= fromDay && pair.Key.Day < toDay)
                .Select(pair => new DayRow(pair.Key.Series, pair.Key.Day, chain, [.. pair.Value], false))]);

    public Task<IReadOnlyList<TopList>> ReadTopsAsync(TargetKind kind, TopSlice slice, int from, int to, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<string>> ListSeriesAsync(string prefix, int fromHour, int toHour, string? after, int limit, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyList<string>>("series listed", () =>
            [.. windows.Days.Keys.Where(key => key.Day >= fromHour / 24 && key.Day <= (toHour - 1) / 24 && key.Series.StartsWith(prefix, StringComparison.Ordinal))
                .Select(key => key.Series).Distinct().Order(StringComparer.Ordinal).Where(series => string.CompareOrdinal(series, after) > 0).Take(limit)]);

    public Task<IReadOnlyDictionary<string, string>> ReadPageUrlsAsync(IReadOnlyList<string> pageIds, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<int?> ReadMinutesFloorAsync(CancellationToken cancellationToken) => world.Effect<int?>("floor read", () => null);

    public IAsyncEnumerable<(WindowKey Key, WindowRow Row)> ScanWindowsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<DayRow> ScanDaysAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<TopList> ScanTopsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    private static long Latest(HourFinal final) => final.Versions.Count == 0 ? -1 : final.Versions[^1];

    private static (int Chain, string Series, long Run) Order(CorrectionRow row) => (row.Key.Chain, row.Key.Series, row.Run);

    private static bool IsThere(StoredWindow stored) => stored.Row.Stamp != 0 || stored.DayQuarters?.Sum() > 0;

    private StoredWindow Stored(WindowKey key)
    {
        WindowRow row = windows.Rows.TryGetValue(key, out WindowRow? stored) ? MemoryWindows.Copy(stored) : new WindowRow();
        long[]? day = windows.Days.GetValueOrDefault((key.Series, key.Hour / 24));
        row.DayClicks = day?.Sum() ?? 0;
        return new StoredWindow(key, row, day?[(key.Hour % 24 * 4)..((key.Hour % 24 * 4) + 4)]);
    }

    private void Note(IReadOnlyList<int> hours, long upto, long stamp)
    {
        foreach (int hour in hours)
        {
            if (stamp > MarksAhead.GetValueOrDefault(hour))
            {
                Marks[(hour, chain)] = Math.Max(Marks.GetValueOrDefault((hour, chain)), upto);
            }

            if (!Finals.TryGetValue((hour, chain), out HourFinal? final) || final.Upto < upto)
            {
                Open[(hour, chain)] = Math.Max(Open.GetValueOrDefault((hour, chain)), upto);
            }
        }
    }

    private static IReadOnlyList<HourMark> Of(Dictionary<(int Hour, int Chain), long> marks, int from, int to, int limit) =>
        [.. marks.Where(pair => pair.Key.Hour >= from && pair.Key.Hour < to).OrderBy(pair => pair.Key.Hour).ThenBy(pair => pair.Key.Chain)
            .Select(pair => new HourMark(pair.Key.Hour, pair.Key.Chain, pair.Value)).Take(limit)];
}
