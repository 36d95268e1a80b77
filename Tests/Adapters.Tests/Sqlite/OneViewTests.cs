using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains.Storage;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Sqlite;

/// <summary>What SQLite promises beyond the contract: an answer is one view of the store, and a scan is in the order of the keys.</summary>
public class OneViewTests
{
    private const int Hour = 500_000;
    private const int Day = Hour / 24;
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task A_scan_is_in_the_order_of_the_keys()
    {
        await using var store = new StoreFolder();
        WindowKey[] keys = [.. Enumerable.Range(0, 6_000).Select(n => new WindowKey($"ad:{n % 700}", n % 19, n % 3)).Distinct()];
        await Task.WhenAll(keys.Select((key, n) => store.Windows.WriteAsync(key, Row(10 + n, 0, n + 1))));

        Assert.Equal(
            keys.OrderBy(key => key.Series, StringComparer.Ordinal).ThenBy(key => key.Hour).ThenBy(key => key.Chain),
            await store.Counts.ScanWindowsAsync(s_go).Select(pair => pair.Key).ToArrayAsync());
    }

    /// <summary>The last of many series is written after the first, always: an answer never shows it ahead.</summary>
    [Fact]
    public async Task An_answer_is_one_view_while_a_writer_writes()
    {
        await using var store = new StoreFolder();
        string[] series = [.. Enumerable.Range(0, 300).Select(n => $"ad:{n}")];
        await Task.WhenAll(series.Select(one => store.Windows.WriteAsync(new WindowKey(one, Hour, 0), Row(1, 0, 1))));
        using var stop = new CancellationTokenSource();
        Task<int> writing = Task.Run(async () =>
        {
            int round = 1;
            while (!stop.IsCancellationRequested)
            {
                round++;
                await store.Windows.WriteAsync(new WindowKey(series[0], Hour, 0), Row(round, 0, round));
                await store.Windows.WriteAsync(new WindowKey(series[^1], Hour, 0), Row(round, 0, round));
            }

            return round;
        });

        long seen = 0;
        for (int n = 0; n < 200; n++)
        {
            IReadOnlyList<HourRow> rows = await store.Counts.ReadHoursAsync(series, Hour, Hour + 1, true, s_go);
            long first = rows[0].Quarters[0], last = rows[^1].Quarters[0];
            Assert.Equal((series[0], series[^1], 300), (rows[0].Series, rows[^1].Series, rows.Count));
            Assert.InRange(first - last, 0, 1);
            Assert.True(first >= seen);
            seen = first;
            IReadOnlyList<DayRow> days = await store.Counts.ReadDaysAsync(series, Day, Day + 1, s_go);
            Assert.InRange(days[0].Quarters.Sum() - days[^1].Quarters.Sum(), 0, 1);
        }

        await stop.CancelAsync();
        Assert.True(await writing > 2);
    }
}
