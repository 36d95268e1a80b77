using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling.Recount;

namespace ClickAggregator.Grains.Tests.Reconciling;

public class HourRecountTests
{
    internal static readonly RollupSet Rollups = new(
    [
        new Rollup(RollupBase.Total), new Rollup(RollupBase.Kind), new Rollup(RollupBase.Target), new Rollup(RollupBase.Target, ByCountry: true),
        new Rollup(RollupBase.Campaign), new Rollup(RollupBase.Campaign, ByDevice: true),
    ]);

    [Theory]
    [InlineData(1_000_000, 1_000_000)]
    [InlineData(20, 1_000_000)]
    [InlineData(8, 50)]
    [InlineData(1_000_000, 30)]
    [InlineData(1_000_000, 3)]
    public async Task Counts_what_plain_dictionaries_count_however_small_the_memory(int maxSeries, int maxClicks)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            List<Archived> clicks = Draw(random, random.Next(0, 150));
            MemoryArchive archive = Archive(clicks, random);
            long upto = random.Next(3) == 0 ? random.Next(1, (int)archive.Upto + 1) : archive.Upto;
            int? days = random.Next(2) == 0 ? 1 : null;
            var taken = new TakenBack([Span(new InvalidationFilter(Samples.At(5), Samples.At(50), UserId: "u1")), Span(new InvalidationFilter(0, long.MaxValue, Country: "DE", Device: "tv"))]);
            var question = new HourQuestion(Samples.Hour, upto, Rollups, taken, days);
            (SortedDictionary<string, long[]> counted, HourRecount recount) = await RecountAsync(archive, question, new RecountBounds(maxSeries, maxClicks));
            SortedDictionary<string, long[]> expected = Samples.Expected(clicks, Samples.Hour, upto, Rollups, Taken, days);
            Assert.Equal(expected.Keys, counted.Keys);
            Assert.All(expected, pair => Assert.Equal(pair.Value, counted[pair.Key]));
            Assert.Equal(expected.TryGetValue("total", out long[]? total) ? total.Sum() : 0, recount.Counted);
        }
    }

    [Fact]
    public async Task Knows_what_was_counted_at_the_last_finalisation()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            List<Archived> clicks = Draw(random, random.Next(0, 120));
            MemoryArchive archive = Archive(clicks, random);
            long former = random.Next(0, 200);
            bool tookBefore = random.Next(2) == 0;
            TakenBack then = tookBefore ? new TakenBack([Span(new InvalidationFilter(0, long.MaxValue, UserId: "u2"))]) : TakenBack.Nothing;
            var now = new TakenBack([Span(new InvalidationFilter(Samples.At(5), Samples.At(50), UserId: "u1")), Span(new InvalidationFilter(0, long.MaxValue, Country: "DE", Device: "tv"))]);
            var question = new HourQuestion(Samples.Hour, archive.Upto, Rollups, now, null, new FormerCount(former, then));
            var found = new SortedDictionary<string, long[]>(StringComparer.Ordinal);
            await RecountAsync(archive, question, new RecountBounds(random.Next(10, 80), random.Next(30, 500)), table =>
            {
                foreach ((Storage.WindowKey key, long[] minutes) in new HourComparison(table, Rollups, Samples.Hour, 1, true).Changed())
                {
                    found.Add(key.Series, minutes);
                }
            });
            SortedDictionary<string, long[]> current = Samples.Expected(clicks, Samples.Hour, archive.Upto, Rollups, Taken);
            SortedDictionary<string, long[]> before = Samples.Expected(clicks, Samples.Hour, former, Rollups, click => tookBefore && click.User == "u2");
            foreach (string series in current.Keys.Union(before.Keys))
            {
                long[] counts = found.TryGetValue(series, out long[]? kept) ? kept : current.GetValueOrDefault(series) ?? new long[60];
                Assert.Equal(before.GetValueOrDefault(series) ?? new long[60], counts);
            }
        }
    }

    [Fact]
    public async Task An_object_that_is_gone_or_was_altered_is_named()
    {
        var random = new Random(1);
        List<Archived> clicks = Draw(random, 200);
        MemoryArchive archive = Archive(clicks, random);
        string key = archive.Keys[^1];
        byte[] content = archive.Objects.Content[key];
        archive.Objects.Content.Remove(key);
        var question = new HourQuestion(Samples.Hour, archive.Upto, Rollups, TakenBack.Nothing);
        Assert.Contains($"{key} is gone", (await Assert.ThrowsAsync<ArchiveDamagedException>(() => RecountAsync(archive, question, new RecountBounds()))).Message, StringComparison.Ordinal);
        archive.Objects.Content[key] = [.. content];
        archive.Objects.Content[key][^1] ^= 1;
        Assert.Contains($"{key} was altered", (await Assert.ThrowsAsync<ArchiveDamagedException>(() => RecountAsync(archive, question, new RecountBounds()))).Message, StringComparison.Ordinal);
        archive.Objects.Content[key] = content;
        await RecountAsync(archive, question, new RecountBounds());
    }

    [Fact]
    public async Task Objects_that_are_merged_while_they_are_read_are_no_damage()
    {
        var random = new Random(2);
        List<Archived> clicks = Draw(random, 300);
        MemoryArchive archive = Archive(clicks, random);
        string last = archive.Keys[^1];
        bool moved = false;
        archive.Objects.Reading = key =>
        {
            if (key == last && !moved)
            {
                moved = true;
                foreach (string old in archive.Keys)
                {
                    archive.Remove(old);
                }

                archive.Add(Samples.Rows(clicks.OrderBy(click => click.Ad, StringComparer.Ordinal)));
            }
        };
        (SortedDictionary<string, long[]> counted, _) = await RecountAsync(archive, new HourQuestion(Samples.Hour, archive.Upto, Rollups, TakenBack.Nothing), new RecountBounds());
        Assert.True(moved);
        SortedDictionary<string, long[]> expected = Samples.Expected(clicks, Samples.Hour, archive.Upto, Rollups);
        Assert.Equal(expected.Keys, counted.Keys);
        Assert.All(expected, pair => Assert.Equal(pair.Value, counted[pair.Key]));
    }

    [Theory]
    [InlineData(20_000, 100_000)]
    [InlineData(100, 3_000)] // so small a filter takes all for candidates, and they fit or do not
    [InlineData(100, 10)]
    public void Every_click_that_was_seen_twice_is_a_candidate_and_few_others_are(int clicks, int most)
    {
        var random = new Random(5);
        UInt128[] hashes = [.. Enumerable.Range(0, clicks).Select(_ => new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64()))];
        var candidates = new RepeatCandidates(clicks, most * 30L, most);
        UInt128[] twice = hashes[..(clicks / 50)];
        candidates.Note([.. hashes, .. twice]);

        Assert.True(candidates.IsTooMany || twice.All(candidates.Found.Contains));
        Assert.False(candidates.IsTooMany && most > clicks);
        Assert.True(clicks < 1000 || candidates.Found.Count - twice.Length < clicks / 50, $"{candidates.Found.Count - twice.Length} others");
    }

    [Fact]
    public void A_minute_may_have_more_clicks_than_a_byte_holds()
    {
        var table = new HourTable(10, 1);
        int number = table.Find("total"u8);
        for (int i = 0; i < 70_000; i++)
        {
            table.Add(number, 59, upto: i);
        }

        table.Add(number, 0, upto: 5);
        Assert.Equal(70_000, table.Counts(number)[59]);
        Assert.Equal(1, table.Counts(number)[0]);
        Assert.Equal(69_999, table.Upto(number));
    }

    private static bool Taken(Archived click) =>
        (click.User == "u1" && click.Time >= Samples.At(5) && click.Time < Samples.At(50)) || (click.Country == "DE" && click.Device == "tv");

    internal static List<Archived> Draw(Random random, int count)
    {
        var clicks = new List<Archived>();
        long offset = 0;
        for (int i = 0; i < count; i++)
        {
            offset += random.Next(1, 4);
            long time = Samples.At(random.Next(-20, 80)) + random.Next(60_000);
            var click = new Archived(
                offset, time, $"a{random.Next(12)}", random.Next(10) == 0 ? "" : $"c{i}", random.Next(2) == 0 ? $"k{random.Next(3)}" : "", $"u{random.Next(4)}",
                random.Next(3) switch { 0 => "DE", 1 => "US", _ => "" }, random.Next(3) == 0 ? "tv" : "", time + random.Next(0, 100_000_000), random.Next(20) == 0);
            if (clicks.Count > 0 && random.Next(4) == 0)
            {
                Archived other = clicks[random.Next(clicks.Count)];
                click = click with { Ad = other.Ad, Id = other.Id };
            }

            clicks.Add(click);
        }

        return clicks;
    }

    // Objects of some clicks each, some in the order of offsets, some by target, and in any order among themselves.
    internal static MemoryArchive Archive(List<Archived> clicks, Random random)
    {
        var archive = new MemoryArchive { Upto = clicks.Count == 0 ? 1 : clicks[^1].Offset + 1 };
        IEnumerable<Archived> order = random.Next(2) == 0 ? clicks : clicks.OrderBy(click => click.Ad, StringComparer.Ordinal).ThenByDescending(click => click.Offset);
        foreach (Archived[] some in order.Chunk(random.Next(1, 150)).OrderBy(_ => random.Next()))
        {
            archive.Add(Samples.Rows(some));
        }

        return archive;
    }

    private static async Task<(SortedDictionary<string, long[]> Counts, HourRecount Recount)> RecountAsync(
        MemoryArchive archive, HourQuestion question, RecountBounds bounds, Action<HourTable>? pass = null)
    {
        long rows = (await archive.GetHourAsync(1, question.Hour)).Objects.Sum(one => one.HourRows);
        var recount = new HourRecount(new HourReader(archive, archive.Objects, archive.Files, 1, question.Hour), question, rows, bounds, 12345);
        var counts = new SortedDictionary<string, long[]>(StringComparer.Ordinal);
        while (await recount.NextAsync(CancellationToken.None))
        {
            Samples.Add(recount.Table, counts);
            pass?.Invoke(recount.Table);
        }

        return (counts, recount);
    }

    internal static InvalidationSpan Span(InvalidationFilter filter) => new(1, filter, 1);
}
