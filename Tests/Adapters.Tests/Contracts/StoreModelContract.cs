using ClickAggregator.Grains.Storage;
using CsCheck;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>Random writes, then every question: the store and a few dictionaries have to agree.</summary>
public abstract class StoreModelContract
{
    private const int Hour = 500_000;
    private static readonly string[] s_series = ["total", "ad:1", "ad:2", "ad:2|country:DE", "ad:2|country:US", "ad:3"];

    private static readonly Gen<(WindowKey Key, WindowRow Row)> s_write =
        from series in Gen.OneOfConst(s_series)
        from hour in Gen.Int[Hour - 30, Hour + 60]
        from chain in Gen.Int[0, 2]
        from stamp in Gen.Long[1, 40]
        from minutes in Gen.Long[0, 1_000_000].Array[60]
        from forgotten in Gen.Bool
        from aside in Gen.Bool
        from upto in Gen.Long[0, 1_000]
        select (new WindowKey(series, hour, chain), new WindowRow
        {
            Minutes = forgotten ? null : minutes,
            Quarters = [.. minutes.Chunk(15).Select(quarter => quarter.Sum())],
            Stamp = stamp,
            SetAside = aside,
            Upto = upto,
            Run = upto % 5 == 0 ? $"run {upto}" : null,
        });

    [Fact]
    public async Task The_store_answers_like_a_few_dictionaries() => await s_write.Array[0, 150].SampleAsync(
        async writes =>
        {
            await using IStoreUnderTest store = await OpenAsync();
            var rows = new Dictionary<WindowKey, WindowRow>();
            foreach ((WindowKey key, WindowRow row) in writes)
            {
                await store.Windows.WriteAsync(key, row);
                if (row.Stamp > (rows.GetValueOrDefault(key)?.Stamp ?? 0))
                {
                    rows[key] = row;
                    Assert.Equal(DayOf(rows, key.Series, (int)Math.Floor(key.Hour / 24d), key.Chain).Sum(), row.DayClicks);
                }
            }

            await CompareAsync(store, rows);
        },
        iter: Rounds, threads: 1);

    /// <summary>How many random histories: fewer where emptying the store takes a second.</summary>
    protected virtual int Rounds => 25;

    /// <summary>An empty store.</summary>
    protected abstract Task<IStoreUnderTest> OpenAsync();

    private static async Task CompareAsync(IStoreUnderTest store, Dictionary<WindowKey, WindowRow> rows)
    {
        (WindowKey Key, WindowRow Row)[] scanned = await store.Counts.ScanWindowsAsync(CancellationToken.None).ToArrayAsync();
        Assert.Equal(
            rows.Select(pair => Said(pair.Key, pair.Value)).Order(StringComparer.Ordinal),
            scanned.Select(pair => Said(pair.Key, pair.Row)).Order(StringComparer.Ordinal));
        foreach (int from in new[] { Hour - 24, Hour, Hour + 7 })
        {
            int to = from + 30;
            Assert.Equal(
                rows.Where(pair => pair.Key.Hour >= from && pair.Key.Hour < to).Select(pair => $"{pair.Key} {Text(pair.Value.Quarters)} {Text(pair.Value.Minutes)} {pair.Value.SetAside}")
                    .Order(StringComparer.Ordinal),
                (await store.Counts.ReadHoursAsync(s_series, from, to, true, CancellationToken.None))
                    .Select(row => $"{row.Series}@{row.Hour}@{row.Chain} {Text(row.Quarters)} {Text(row.Minutes)} {row.SetAside}").Order(StringComparer.Ordinal));

            int fromDay = from / 24, toDay = (to + 23) / 24;
            string[] days = [.. rows.Keys.Select(key => (key.Series, Day: key.Hour / 24, key.Chain)).Distinct().Where(key => key.Day >= fromDay && key.Day < toDay)
                .Select(key => $"{key} {Text(DayOf(rows, key.Series, key.Day, key.Chain))} {rows.Any(pair => pair.Value.SetAside && (pair.Key.Series, pair.Key.Hour / 24, pair.Key.Chain) == key)}")
                .Order(StringComparer.Ordinal)];
            Assert.Equal(
                days,
                (await store.Counts.ReadDaysAsync(s_series, fromDay, toDay, CancellationToken.None))
                    .Select(row => $"{(row.Series, row.Day, row.Chain)} {Text(row.Quarters)} {row.SetAside}").Order(StringComparer.Ordinal));

            foreach (string prefix in new[] { "ad:", "ad:2", "ad:2|country:", "total" })
            {
                Assert.Equal(
                    rows.Keys.Where(key => key.Hour / 24 >= fromDay && key.Hour / 24 < toDay && key.Series.StartsWith(prefix, StringComparison.Ordinal)
                            && (prefix.Contains('|') || !key.Series.Contains('|')))
                        .Select(key => key.Series).Distinct().Order(StringComparer.Ordinal),
                    await store.Counts.ListSeriesAsync(prefix, from, to, null, 100, CancellationToken.None));
            }
        }
    }

    private static long[] DayOf(Dictionary<WindowKey, WindowRow> rows, string series, int day, int chain)
    {
        long[] quarters = new long[96];
        for (int hour = 0; hour < 24; hour++)
        {
            if (rows.TryGetValue(new WindowKey(series, (day * 24) + hour, chain), out WindowRow? row))
            {
                row.Quarters.CopyTo(quarters, hour * 4);
            }
        }

        return quarters;
    }

    private static string Said(WindowKey key, WindowRow row) =>
        $"{key} {Text(row.Quarters)} {Text(row.Minutes)} {row.Upto} {row.Stamp} {row.SetAside} {row.Run}";

    private static string Text(long[]? counts) => counts is null ? "-" : string.Join(',', counts);
}
