using ClickAggregator.Grains.Counting;
using CsCheck;

namespace ClickAggregator.Grains.Tests.Counting;

public class DuplicateSetTests
{
    // (id, step of time, step of offset): few ids and small steps, so that both bounds are met all the time.
    private static readonly Gen<(int Id, int Step, int Hole)[]> s_records =
        Gen.Select(Gen.Int[0, 30], Gen.Int[-3, 6], Gen.Int[1, 3]).Array[0, 300];

    [Fact]
    public void It_decides_as_the_rule_says_for_every_record() =>
        Gen.Select(s_records, Gen.Int[1, 40], Gen.Int[1, 30]).Sample((records, horizon, maxIds) =>
        {
            var log = Log(records);
            var set = new DuplicateSet(TimeSpan.FromMilliseconds(horizon), maxIds);
            Assert.Equal(Oracle(log, horizon, maxIds), log.Select(r => set.Add(r.Hash, r.Time, r.Offset)));
        });

    [Fact]
    public void Rebuilt_from_its_oldest_record_it_decides_the_same() =>
        Gen.Select(s_records, Gen.Int[1, 40], Gen.Int[1, 30], Gen.Int[0, 300]).Sample((records, horizon, maxIds, cut) =>
        {
            var log = Log(records);
            cut = Math.Min(cut, log.Length);
            var first = new DuplicateSet(TimeSpan.FromMilliseconds(horizon), maxIds);
            foreach (var r in log[..cut])
            {
                first.Add(r.Hash, r.Time, r.Offset);
            }

            long from = first.Oldest ?? 0;
            var second = new DuplicateSet(TimeSpan.FromMilliseconds(horizon), maxIds);
            foreach (var r in log[..cut].Where(r => r.Offset >= from))
            {
                second.Add(r.Hash, r.Time, r.Offset);
            }

            Assert.Equal(Oracle(log, horizon, maxIds)[cut..], log[cut..].Select(r => second.Add(r.Hash, r.Time, r.Offset)));
        });

    [Theory]
    [InlineData(50_000, 60_000)]
    [InlineData(20_000, 1_000_000)]
    public void It_decides_as_the_rule_says_while_the_ring_turns_and_the_table_is_rebuilt(int maxIds, int horizon)
    {
        DuplicateSet set = Turn(new DuplicateSet(TimeSpan.FromMilliseconds(horizon), maxIds), seed: 7);
        long bytes = set.Bytes;
        set = Turn(new DuplicateSet(TimeSpan.FromMilliseconds(horizon), maxIds, former: set), seed: 8);
        Assert.InRange(set.Bytes, bytes / 2, bytes + (1 << 20));

        // In memory that was of another set, and by other bounds.
        Turn(new DuplicateSet(TimeSpan.FromMilliseconds(horizon / 2), maxIds / 3, former: set), seed: 9, horizon / 2, maxIds / 3);

        DuplicateSet Turn(DuplicateSet set, int seed, int? of = null, int? ids = null) => Turned(set, new Random(seed), ids ?? maxIds, of ?? horizon);
    }

    private static DuplicateSet Turned(DuplicateSet set, Random random, int maxIds, int horizon)
    {
        var last = new Dictionary<UInt128, (long Number, long Time)>();
        var hashes = new UInt128[100];
        var times = new long[100];
        var offsets = new long[100];
        var repeats = new bool[100];
        long number = 0;
        for (int batch = 0; batch < 6_000; batch++)
        {
            for (int i = 0; i < 100; i++)
            {
                hashes[i] = Hash(random.Next(150_000));
                times[i] = number + i;
                offsets[i] = number + i;
            }

            set.Add(hashes, times, offsets, repeats);
            for (int i = 0; i < 100; i++, number++)
            {
                bool expected = last.TryGetValue(hashes[i], out var seen) && number - seen.Number <= maxIds && number - seen.Time <= horizon;
                Assert.True(expected == repeats[i], $"record {number}");
                last[hashes[i]] = (number, number);
            }
        }

        Assert.InRange(set.Count, 1, maxIds);
        return set;
    }

    [Fact]
    public void An_id_at_the_edge_of_the_horizon_still_counts_as_seen_and_one_past_it_does_not()
    {
        var set = new DuplicateSet(TimeSpan.FromMilliseconds(10), 100);
        Assert.False(set.Add(1, 0, 0));
        Assert.True(set.Add(1, 10, 1));
        Assert.False(set.Add(1, 21, 2));
    }

    [Fact]
    public void Memory_is_given_back_past_the_horizon_and_stays_near_24_bytes_an_id()
    {
        var set = new DuplicateSet(TimeSpan.FromMilliseconds(1000), 400_000);
        for (int i = 0; i < 1_000_000; i++)
        {
            set.Add(Hash(i), i / 1000, i);
        }

        Assert.Equal(400_000, set.Count);
        Assert.InRange(set.Bytes / (double)set.Count, 16, 26);
        set.Add(Hash(-1), 100_000, 2_000_000);
        Assert.Equal(1, set.Count);
    }

    private static (UInt128 Hash, long Time, long Offset)[] Log((int Id, int Step, int Hole)[] records)
    {
        long time = 1_000;
        long offset = 50;
        return [.. records.Select(r => (Hash(r.Id), time += r.Step, offset += r.Hole))];
    }

    private static bool[] Oracle((UInt128 Hash, long Time, long Offset)[] log, int horizon, int maxIds)
    {
        var answers = new bool[log.Length];
        var times = new long[log.Length];
        for (int i = 0; i < log.Length; i++)
        {
            times[i] = i == 0 ? log[i].Time : Math.Max(times[i - 1], log[i].Time);
            for (int j = Math.Max(0, i - maxIds); j < i; j++)
            {
                answers[i] |= log[j].Hash == log[i].Hash && times[i] - times[j] <= horizon;
            }
        }

        return answers;
    }

    private static UInt128 Hash(int id) => System.IO.Hashing.XxHash128.HashToUInt128(BitConverter.GetBytes(id));
}
