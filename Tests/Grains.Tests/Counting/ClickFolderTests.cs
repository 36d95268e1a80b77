using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Streaming;
using CsCheck;

namespace ClickAggregator.Grains.Tests.Counting;

public class ClickFolderTests
{
    private const long Hour = 3_600_000;

    private static readonly CountingRules s_rules = new(RollupSet.Default, TimeSpan.FromMinutes(10), 1000);
    private static readonly CountingRules s_every = new(
        new RollupSet(
            from b in Enum.GetValues<RollupBase>() from c in new[] { false, true } from d in new[] { false, true } select new Rollup(b, c, d)),
        TimeSpan.FromMilliseconds(50), 20, retentionDays: 1);

    private static readonly Gen<(long Offset, long Time, byte[]? Value)[]> s_log =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 15], Gen.Int[0, 200_000], Gen.Int[0, 11], Gen.Int[0, 9]).Array[1, 250].Select(rows =>
            rows.Select((r, i) => (Offset: (i * 2L) + 7, Time: FoldSamples.Start + (i * 10L), Value: Record(r.Item1, r.Item2, r.Item3, r.Item4, r.Item5))).ToArray());

    [Fact]
    public void A_click_counts_once_in_each_of_its_series_and_minutes()
    {
        ClickFolder folder = Folder(s_rules);
        long at = FoldSamples.Start + (61 * 60_000);
        Fold(folder, (0, at, FoldSamples.Click("42", "a", at, "7")), (1, at, FoldSamples.Click("42", "a", at, "7")), (2, at, FoldSamples.Click("42", "b", at - 60_000)));

        FoldedBatch batch = folder.Complete();

        int hour = (int)(at / Hour);
        Assert.Equal(
            [$"ad:42@{hour}@3 0=1,1=1", $"campaign:7@{hour}@3 1=1", $"kind:ad@{hour}@3 0=1,1=1", $"total@{hour}@3 0=1,1=1"],
            FoldSamples.Text(batch).Split('\n')[..^1]);
        Assert.Equal((2, 1, 0), (batch.Counted, batch.Duplicates, batch.Late));
        Assert.Equal(TargetKind.Ad, batch.Windows[0].Slot.TopKind);
    }

    [Fact]
    public void What_cannot_be_counted_is_told_apart_and_the_rest_goes_on()
    {
        ClickFolder folder = Folder(s_every);
        long at = FoldSamples.Start;
        Fold(
            folder,
            (0, at, null),
            (1, at, [1, 2, 3]),
            (2, at, "no click"u8.ToArray()),
            (3, at, FoldSamples.Click("1", "old", at - (25 * Hour))),
            (4, at, FoldSamples.Click("1", "late", at - (2 * Hour))),
            (5, at, FoldSamples.Click("1", "far", long.MaxValue)),
            (6, at, []));

        FoldedBatch batch = folder.Complete();

        Assert.Equal((1, 1, 4, 1, 1), (batch.Counted, batch.Damaged, batch.Unreadable, batch.Expired, batch.Late));
        Assert.Equal(
            [("empty", 1), ("malformed_json", 1), ("malformed_record", 1), ("timestamp_invalid", 1)],
            batch.UnreadableBy.Select(reason => (reason.Key, (int)reason.Value)).Order());
    }

    [Fact]
    public void Json_without_id_and_time_counts_each_time_at_its_append_time()
    {
        ClickFolder folder = Folder(s_rules);
        byte[] json = Encoding.UTF8.GetBytes("""{"ad_id":"42"}""");
        Fold(folder, (0, FoldSamples.Start, json), (1, FoldSamples.Start + 60_000, json));

        FoldedBatch batch = folder.Complete();

        Assert.Equal((2, 0), (batch.Counted, batch.Duplicates));
        Assert.Equal($"ad:42@{FoldSamples.Start / Hour}@3 0=1,1=1", FoldSamples.Text(batch).Split('\n')[0]);
    }

    [Fact]
    public void The_deltas_are_those_of_a_plain_recount() => s_log.Sample(log =>
    {
        ClickFolder folder = Folder(s_every);
        Fold(folder, log);
        FoldedBatch batch = folder.Complete();

        var expected = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var last = new Dictionary<UInt128, (int Number, long Time)>();
        int number = 0;
        foreach (var (_, time, value) in log)
        {
            if (value is null || !ClickRecord.TryRead(value, out Click click))
            {
                continue;
            }

            UInt128 hash = ClickHash.Compute(in click);
            bool repeats = last.TryGetValue(hash, out var seen) && time - seen.Time <= 50 && number - seen.Number <= 20;
            last[hash] = (number++, time);
            foreach (Rollup rollup in s_every.Rollups)
            {
                if (!repeats && time - click.Timestamp <= 24 * Hour && SeriesName.Of(rollup, in click) is { } series)
                {
                    string key = $"{series}@{click.Timestamp / Hour}@3 {click.Timestamp / 60_000 % 60}";
                    expected[key] = expected.GetValueOrDefault(key) + 1;
                }
            }
        }

        var got = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (FoldedWindow window in batch.Windows)
        {
            foreach (MinuteCount minute in window.Minutes.Span)
            {
                got.Add($"{window.Slot.Key} {minute.Minute}", minute.Clicks);
            }
        }

        Assert.Equal(expected, got);
    });

    [Fact]
    public void Replayed_by_another_process_in_other_slabs_the_batch_is_the_same() =>
        Gen.Select(s_log, Gen.Double[0, 1], Gen.Int[1, 40], Gen.Int[1, 40]).Sample((log, where, cutA, cutB) =>
        {
            long end = log[^1].Offset + 1;
            long start = log[(int)(where * (log.Length - 1))].Offset;
            ClickFolder first = Folder(s_every, maxSlots: 5);
            FoldIn(first, log, 0, start, cutA);
            first.Complete();
            long dedupFrom = first.DedupFrom;
            FoldIn(first, log, start, end, cutA);

            ClickFolder second = Folder(s_every);
            foreach (Slab slab in Cut(log, cutB))
            {
                second.Remember(slab, dedupFrom, start);
            }

            FoldIn(second, log, start, end, cutB);

            Assert.Equal(FoldSamples.Text(first.Complete()), FoldSamples.Text(second.Complete()));
            Assert.Equal(first.DedupFrom, second.DedupFrom);
        });

    [Fact]
    public void A_rules_document_reads_back_and_is_named_by_its_content()
    {
        CountingRules back = CountingRules.Parse(s_every.ToString());
        Assert.Equal((s_every.Id, s_every.ToString(), 1), (back.Id, back.ToString(), back.RetentionDays));
        Assert.NotEqual(s_every.Id, s_rules.Id);
        Assert.Throws<FormatException>(() => CountingRules.Parse("2;x"));
    }

    private static byte[]? Record(int ad, int id, int behind, int country, int device) => (ad, id) switch
    {
        (0, 0) => null,
        (0, 1) => [9, 9],
        _ => FoldSamples.Click(
            $"ad{ad % 5}", $"c{id}", FoldSamples.Start - (behind * 600L), ad % 2 == 0 ? "" : "k", country > 2 ? "" : $"U{(char)('A' + country)}",
            device > 2 ? "" : $"d{device}", ad > 7 ? TargetKind.Video : TargetKind.Ad),
    };

    private static ClickFolder Folder(CountingRules rules, int maxSlots = 1000) =>
        new(rules, 3, new DuplicateSet(rules.Horizon, rules.MaxIds), maxSlots);

    private static void Fold(ClickFolder folder, params (long Offset, long Time, byte[]? Value)[] log) =>
        folder.Fold(FoldSamples.Slab(0, log[^1].Offset + 1, log), 0, long.MaxValue);

    private static void FoldIn(ClickFolder folder, (long Offset, long Time, byte[]? Value)[] log, long from, long to, int cut)
    {
        foreach (Slab slab in Cut(log, cut))
        {
            folder.Fold(slab, from, to);
        }
    }

    private static IEnumerable<Slab> Cut((long Offset, long Time, byte[]? Value)[] log, int cut)
    {
        long from = 0;
        foreach (var part in log.Chunk(cut))
        {
            long to = part[^1].Offset + 1;
            yield return FoldSamples.Slab(from, to, part);
            from = to;
        }
    }
}
