using ClickAggregator.Grains.Query;
using ClickAggregator.Grains.Storage;
using CsCheck;

namespace ClickAggregator.Grains.Tests.Query;

public class RangeCounterTests
{
    private static readonly string[] s_zones =
        ["UTC", "Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/Berlin", "America/St_Johns"];

    [Theory]
    [InlineData("2024-03-30T23:00Z", "2024-03-31T22:00Z", "Europe/Berlin", 23)]
    [InlineData("2024-10-26T22:00Z", "2024-10-27T23:00Z", "Europe/Berlin", 25)]
    [InlineData("2024-04-06T13:00Z", "2024-04-07T13:30Z", "Australia/Lord_Howe", 24)]
    [InlineData("2024-10-05T13:30Z", "2024-10-06T13:00Z", "Australia/Lord_Howe", 24)]
    [InlineData("2024-06-01T18:15Z", "2024-06-02T18:15Z", "Asia/Kathmandu", 24)]
    public void A_day_is_one_day_point_and_the_hours_that_the_zones_clock_shows(string from, string to, string zone, int hours)
    {
        TimeZoneInfo info = TimeZoneInfo.FindSystemTimeZoneById(zone);
        Assert.Equal(2, RangeBounds.Of(Minute(from), Minute(to), Granularity.Day, info).Length);
        Assert.Equal(hours + 1, RangeBounds.Of(Minute(from), Minute(to), Granularity.Hour, info).Length);
    }

    [Fact]
    public void Points_equal_a_recount_of_the_clicks_in_any_zone_also_after_minutes_expired()
    {
        long origin = Minute("2024-03-28T00:00Z");
        Gen<long> minute = Gen.Long[origin, origin + (6 * 1440)];
        Gen.Select(minute, minute, minute.Array[0, 200], Gen.OneOfConst(s_zones), Gen.Enum<Granularity>(), Gen.Int[0, 150])
            .Where(t => t.Item1 < t.Item2)
            .Sample(t =>
            {
                (long from, long to, long[] clicks, string zone, Granularity granularity, int kept) = t;
                int? floor = granularity == Granularity.Minute ? null : (int)(origin / 60) + kept;
                (from, to) = RangeCounter.Align(from, to, floor);
                long[] bounds = RangeBounds.Of(from, to, granularity, TimeZoneInfo.FindSystemTimeZoneById(zone));
                SeriesCounts counts = RangeCounter.CountAsync(new ListedClicks(clicks, floor), ["total"], bounds, default)
                    .GetAwaiter().GetResult()["total"];
                Assert.Equal(bounds.Skip(1).Select((end, i) => clicks.LongCount(c => c >= bounds[i] && c < end)), counts.Points);
                Assert.Equal(clicks.LongCount(c => c >= from && c < to), counts.Clicks);
                Assert.False(counts.Incomplete);
            }, iter: 300);
    }

    [Fact]
    public void What_a_ranking_reads_is_a_recount_wherever_the_range_cuts_its_days()
    {
        long origin = Minute("2024-03-28T00:00Z");
        Gen<long> minute = Gen.Select(Gen.Long[origin, origin + (4 * 1440)], Gen.Bool, (at, whole) => whole ? at / 15 * 15 : at);
        Gen.Select(minute, minute, Gen.Long[origin, origin + (4 * 1440)].Array[0, 200]).Where(t => t.Item1 < t.Item2).Sample(t =>
        {
            (long from, long to, long[] clicks) = t;
            SeriesCounts counts = RangeCounter.CountAsync(new ListedClicks(clicks, null), ["total"], [from, to], new RankingReads(null, null), default)
                .GetAwaiter().GetResult()["total"];
            Assert.Equal(clicks.LongCount(c => c >= from && c < to), counts.Clicks);
            Assert.False(counts.Incomplete);
        }, iter: 300);
    }

    private static long Minute(string time) =>
        DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeSeconds() / 60;

    /// <summary>A store made of a list of clicks (minutes since the epoch) of the series total, in two chains.</summary>
    private sealed class ListedClicks(long[] clicks, int? minutesFloor) : ICountReader
    {
        public Task<IReadOnlyList<HourRow>> ReadHoursAsync(
            IReadOnlyList<string> series, int fromHour, int toHour, bool withMinutes, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<HourRow>>([.. clicks.Select((c, i) => (Click: c, Chain: i % 2))
                .Where(c => c.Click / 60 >= fromHour && c.Click / 60 < toHour)
                .GroupBy(c => ((int)(c.Click / 60), c.Chain))
                .Select(g => new HourRow("total", g.Key.Item1, g.Key.Chain, Fill(g.Select(c => c.Click % 60 / 15), 4),
                    withMinutes && !(g.Key.Item1 < minutesFloor) ? Fill(g.Select(c => c.Click % 60), 60) : null, false))]);

        public Task<IReadOnlyList<StandingRow>> ReadStandingAsync(
            IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<DayRow>> ReadDaysAsync(
            IReadOnlyList<string> series, int fromDay, int toDay, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<DayRow>>([.. clicks.Where(c => c / 1440 >= fromDay && c / 1440 < toDay)
                .GroupBy(c => (int)(c / 1440))
                .Select(g => new DayRow("total", g.Key, 0, Fill(g.Select(c => c % 1440 / 15), 96), false))]);

        public Task<IReadOnlyList<TopList>> ReadTopsAsync(
            Clicks.TargetKind kind, TopSlice slice, int from, int to, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<string>> ListSeriesAsync(
            string prefix, int fromHour, int toHour, string? after, int limit, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyDictionary<string, string>> ReadPageUrlsAsync(
            IReadOnlyList<string> pageIds, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<int?> ReadMinutesFloorAsync(CancellationToken cancellationToken) => Task.FromResult(minutesFloor);

        public IAsyncEnumerable<(WindowKey Key, WindowRow Row)> ScanWindowsAsync(CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<DayRow> ScanDaysAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<TopList> ScanTopsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        private static long[] Fill(IEnumerable<long> at, int length)
        {
            long[] counts = new long[length];
            foreach (long i in at)
            {
                counts[i]++;
            }

            return counts;
        }
    }
}
