using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Reconciling.Replay;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>Random hours, counted by plain dictionaries, by the fold of archived rows, and through the replay log by the counting's own code.</summary>
public class HourReplayTests
{
    [Theory]
    [InlineData(1_000_000, 1_000_000)]
    [InlineData(20, 1_000_000)]
    [InlineData(1_000_000, 30)]
    [InlineData(8, 25)]
    public async Task Both_ways_count_the_same_however_small_the_memory_and_whatever_the_log_does(int maxSeries, int maxReplayed)
    {
        for (int seed = 0; seed < 25; seed++)
        {
            var random = new Random(seed);
            List<Archived> clicks = HourRecountTests.Draw(random, random.Next(0, 150));
            MemoryArchive archive = HourRecountTests.Archive(clicks, random);
            long upto = random.Next(3) == 0 ? random.Next(1, (int)archive.Upto + 1) : archive.Upto;
            int? days = random.Next(2) == 0 ? 1 : null;
            TakenBack taken = random.Next(2) == 0 ? TakenBack.Nothing : new TakenBack([HourRecountTests.Span(new InvalidationFilter(Samples.At(5), Samples.At(50), UserId: "u1"))]);
            var question = new HourQuestion(Samples.Hour, upto, HourRecountTests.Rollups, taken, days);
            MemoryReplay log = Restless(random);
            SortedDictionary<string, long[]> counted = await ConfirmAsync(archive, question, log, new RecountBounds(maxSeries, 1_000_000, maxReplayed));
            SortedDictionary<string, long[]> expected = Samples.Expected(
                clicks, Samples.Hour, upto, HourRecountTests.Rollups, click => !taken.IsEmpty && click.User == "u1" && click.Time >= Samples.At(5) && click.Time < Samples.At(50), days);
            Assert.Equal(expected.Keys, counted.Keys);
            Assert.All(expected, pair => Assert.Equal(pair.Value, counted[pair.Key]));
            Assert.Equal(0, log.Open);
        }
    }

    [Fact]
    public async Task Nothing_that_would_say_whose_click_it_was_is_sent()
    {
        List<Archived> clicks = [new Archived(1, Samples.At(3), "a1", "c1", "k1", "somebody-1", "DE", "tv")];
        var archive = new MemoryArchive { Upto = 2 };
        archive.Add(Samples.Rows(clicks));
        var log = new MemoryReplay();
        await ConfirmAsync(archive, new HourQuestion(Samples.Hour, 2, HourRecountTests.Rollups, new TakenBack([HourRecountTests.Span(new InvalidationFilter(0, long.MaxValue, UserId: "nobody"))])), log, new RecountBounds());
        byte[] record = Assert.Single(log.Records);
        Assert.Equal(-1, record.AsSpan().IndexOf("somebody-1"u8));
        Assert.NotEqual(-1, record.AsSpan().IndexOf("tv"u8));
        Assert.True(ReplayEnvelope.TryRead(record, out ReplayEnvelope envelope));
        Assert.Equal((17, 5, Samples.Hour, 3, 1, Samples.At(3), false), (envelope.Run, envelope.Chain, envelope.Hour, envelope.Partition, envelope.Offset, envelope.Timestamp, envelope.Taken));
    }

    [Fact]
    public async Task A_click_that_does_not_come_back_or_not_as_it_was_is_noticed()
    {
        var random = new Random(3);
        List<Archived> clicks = HourRecountTests.Draw(random, 150);
        MemoryArchive archive = HourRecountTests.Archive(clicks, random);
        var question = new HourQuestion(Samples.Hour, archive.Upto, HourRecountTests.Rollups, TakenBack.Nothing);
        Action<List<byte[]>>[] faults =
        [
            records => records.RemoveAt(random.Next(records.Count)),
            records => records.Clear(),
            records => records[random.Next(records.Count)][^1] ^= 1,
            records => records[0][1] ^= 1, // taken back
            records => records[0][38]++, // another offset
            records => records[0][46]++, // another time
        ];
        foreach (Action<List<byte[]>> fault in faults)
        {
            await Assert.ThrowsAsync<ReplayIncompleteException>(() => ConfirmAsync(archive, question, new MemoryReplay { Reading = fault }, new RecountBounds()));
        }
    }

    [Fact]
    public async Task Where_the_two_ways_differ_the_series_and_the_minute_are_named()
    {
        var random = new Random(4);
        List<Archived> clicks = [.. Enumerable.Range(0, 100).Select(n => new Archived(n, Samples.At(n % 60), $"a{n % 7}", $"c{n}"))];
        MemoryArchive archive = HourRecountTests.Archive(clicks, random);
        var question = new HourQuestion(Samples.Hour, archive.Upto, HourRecountTests.Rollups, TakenBack.Nothing);
        HourTable right = await FoldAsync(archive, question, 1);
        foreach ((string series, int clicksMore) in new[] { ("ad:a3", 1), ("total", 300), ("ad:never", 2) })
        {
            HourTable wrong = await FoldAsync(archive, question, 1);
            wrong.Add(wrong.Find(System.Text.Encoding.UTF8.GetBytes(series)), 13, clicksMore);
            RecountsDifferException differ = await Assert.ThrowsAsync<RecountsDifferException>(() => Replay(archive, question, new MemoryReplay(), new RecountBounds(), 1).ConfirmAsync(wrong, CancellationToken.None));
            Assert.Contains($"{series} has ", differ.Message, StringComparison.Ordinal);
            Assert.Contains("in minute 13", differ.Message, StringComparison.Ordinal);
        }

        await Replay(archive, question, new MemoryReplay(), new RecountBounds(), 1).ConfirmAsync(right, CancellationToken.None);
        HourTable empty = await FoldAsync(new MemoryArchive { Upto = archive.Upto }, question, 1);
        Assert.Contains(
            "has clicks when the archived ones are counted",
            (await Assert.ThrowsAsync<RecountsDifferException>(() => Replay(archive, question, new MemoryReplay(), new RecountBounds(), 1).ConfirmAsync(empty, CancellationToken.None))).Message,
            StringComparison.Ordinal);
    }

    /// <summary>A set of ids goes by the highest bits: were a part a stretch of these, each of its ids would be searched for through all others.</summary>
    [Fact]
    public void The_clicks_of_a_part_lie_all_over_a_table()
    {
        const int parts = 26;
        var random = new Random(5);
        UInt128[] hashes = [.. Enumerable.Range(0, 26_000).Select(_ => new UInt128((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64(long.MinValue, long.MaxValue)))];
        foreach (IGrouping<int, UInt128> part in hashes.GroupBy(hash => IdentifiedClicks.PartOf(hash, parts)))
        {
            Assert.InRange(part.Key, 0, parts - 1);
            Assert.InRange(part.Count(), 800, 1200);
            Assert.InRange(part.GroupBy(hash => (int)(hash >> 124)).Min(stretch => stretch.Count()), 20, 100);
            Assert.InRange(part.GroupBy(hash => (int)(hash & 15)).Min(stretch => stretch.Count()), 20, 100);
        }
    }

    [Fact]
    public async Task An_hour_without_clicks_needs_no_log()
    {
        var log = new MemoryReplay();
        Assert.Empty(await ConfirmAsync(new MemoryArchive { Upto = 10 }, new HourQuestion(Samples.Hour, 10, HourRecountTests.Rollups, TakenBack.Nothing), log, new RecountBounds()));
        Assert.Empty(log.Records);
    }

    [Fact]
    public async Task Objects_that_are_merged_while_they_are_sent_are_sent_again()
    {
        var random = new Random(2);
        List<Archived> clicks = HourRecountTests.Draw(random, 300);
        MemoryArchive archive = HourRecountTests.Archive(clicks, random);
        var question = new HourQuestion(Samples.Hour, archive.Upto, HourRecountTests.Rollups, TakenBack.Nothing);
        HourTable folded = await FoldAsync(archive, question, 1);
        string last = archive.Keys[^1];
        archive.Objects.Reading = key =>
        {
            if (key == last)
            {
                archive.Objects.Reading = null;
                foreach (string old in archive.Keys)
                {
                    archive.Remove(old);
                }

                archive.Add(Samples.Rows(clicks.OrderBy(click => click.Ad, StringComparer.Ordinal)));
            }
        };
        await Replay(archive, question, new MemoryReplay(), new RecountBounds(), 1).ConfirmAsync(folded, CancellationToken.None);
        Assert.Null(archive.Objects.Reading);
    }

    // It gives records twice, in any order, and others' between them: of other tries, of other logs' making, damaged ones.
    private static MemoryReplay Restless(Random random)
    {
        var log = new MemoryReplay();
        var left = new List<byte[]>();
        log.Reading = records =>
        {
            List<byte[]> more = [.. records.Where(_ => random.Next(4) == 0), .. left, [], [1, 2, 3], .. records.Take(2).Select(record => record[..40])];
            byte[] other = Guid.NewGuid().ToByteArray();
            foreach (byte[] record in records.Where(_ => random.Next(3) == 0).ToList())
            {
                byte[] theirs = [.. record];
                other.CopyTo(theirs, 2);
                more.Add(theirs);
            }

            left.AddRange(records.Take(5));
            records.AddRange(more);
            byte[][] shuffled = [.. records];
            random.Shuffle(shuffled);
            records.Clear();
            records.AddRange(shuffled);
        };
        return log;
    }

    private static async Task<SortedDictionary<string, long[]>> ConfirmAsync(MemoryArchive archive, HourQuestion question, MemoryReplay log, RecountBounds bounds)
    {
        HourRecount recount = Recount(archive, question, bounds, 5);
        HourReplay replay = Replay(archive, question, log, bounds, 5);
        var counts = new SortedDictionary<string, long[]>(StringComparer.Ordinal);
        while (await recount.NextAsync(CancellationToken.None))
        {
            await replay.ConfirmAsync(recount.Table, CancellationToken.None);
            Samples.Add(recount.Table, counts);
        }

        return counts;
    }

    private static async Task<HourTable> FoldAsync(MemoryArchive archive, HourQuestion question, long seed)
    {
        HourRecount recount = Recount(archive, question, new RecountBounds(), seed);
        await recount.NextAsync(CancellationToken.None);
        return recount.Table;
    }

    private static HourRecount Recount(MemoryArchive archive, HourQuestion question, RecountBounds bounds, long seed) =>
        new(new HourReader(archive, archive.Objects, archive.Files, 5, question.Hour), question, Rows(archive, question), bounds, seed);

    private static HourReplay Replay(MemoryArchive archive, HourQuestion question, MemoryReplay log, RecountBounds bounds, long seed) => new(
        new RecountRequest(17, question.Hour, 5, false, false, 0, [], Mode: RunMode.Republish),
        new HourReader(archive, archive.Objects, archive.Files, 5, question.Hour), question, log, 3, Rows(archive, question), bounds, seed);

    private static long Rows(MemoryArchive archive, HourQuestion question) => archive.GetHourAsync(5, question.Hour).Result.Objects.Sum(one => one.HourRows);
}
