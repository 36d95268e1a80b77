using ClickAggregator.ClickLog.Files;
using ClickAggregator.ClickLog.Tests.Folders;

namespace ClickAggregator.ClickLog.Tests.Files;

/// <summary>
/// What was acknowledged and is gone from the end of the log is damage: it is told, and its offsets are never given
/// to other clicks, because the counting has been there.
/// </summary>
public class AcknowledgedEndTests
{
    private static readonly string[] s_ids = ["a", "b", "c", "d", "e", "f", "g"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_last_segment_cut_at_any_byte_keeps_every_record_before_the_cut_and_all_offsets(bool rolled)
    {
        using var folder = new LogFolder();
        int before = rolled ? await FillAsync(folder, ["first-1", "first-2"]) : 0;
        folder.Options = folder.Options with { SegmentBytes = rolled ? 1 : 1 << 20 };
        await FillAsync(folder, ["a"]);
        folder.Options = folder.Options with { SegmentBytes = 1 << 20 };
        await FillAsync(folder, ["b", "c", "d"]);
        await FillAsync(folder, ["e"]);
        await FillAsync(folder, ["f", "g"]);
        string last = folder.Segments[^1];
        Dictionary<string, byte[]> whole = folder.Save();
        int end = before + s_ids.Length;
        var readable = new HashSet<int>();

        for (int length = 0; length < whole[last].Length; length++)
        {
            folder.Restore(whole);
            File.WriteAllBytes(last, whole[last][..length]);
            List<Seen> kept;
            await using (PartitionedClickLog log = await folder.OpenAsync())
            {
                Assert.Equal(end, log.GetRange(0).End);
                kept = LogFolder.Read(log);
                AssertOnlyRight(kept, before);
                LogDamage damage = Assert.Single(log.Damage);
                Assert.Equal((end, kept.Count(seen => seen.Id is null)), (damage.ToOffset, damage.Records));
                Assert.Single(folder.Loggers.Lines, line => line.StartsWith("1102:", StringComparison.Ordinal));
                await LogFolder.AppendAsync(log, "after");
            }

            await using PartitionedClickLog again = await folder.OpenAsync();
            Assert.Equal([.. kept, new(end, "after")], LogFolder.Read(again));
            readable.Add(kept.Count(seen => seen.Id is not null) - before);
        }

        // Every record that lies before some cut was read after it: a cut inside of a batch keeps the batch's start.
        Assert.Equal(Enumerable.Range(0, s_ids.Length), readable.Order());
    }

    [Fact]
    public async Task A_start_tells_exactly_the_records_that_the_end_has_lost_and_readers_find_no_more()
    {
        string[] ids = [.. Enumerable.Range(0, 500).Select(n => $"{n}")];
        using var folder = new LogFolder();
        await FillAsync(folder, ids[..200]);
        await FillAsync(folder, ids[200..]);
        using (FileStream file = File.OpenWrite(folder.Segments[0]))
        {
            file.SetLength(file.Length - 1001);
        }

        LogDamage printed;
        await using (PartitionedClickLog reading = await folder.OpenToReadAsync())
        {
            printed = Assert.Single(reading.Damage);
            Assert.Equal(ids[..200], LogFolder.Read(reading).Select(record => record.Id));
        }

        await using PartitionedClickLog log = await folder.OpenAsync();
        LogDamage damage = Assert.Single(log.Damage);
        Assert.Equal(printed, damage);
        Assert.Equal((500, "the file ends before its last record"), (damage.ToOffset, damage.Reason));
        Assert.Equal(damage.Records, log.DamagedRecords);

        List<Seen> seen = LogFolder.Read(log);
        Assert.Equal(damage.Records, seen.Count(record => record.Id is null));
        Assert.InRange(damage.Records, 1, 100);
        Assert.Equal(ids[..(int)damage.FromOffset], seen.TakeWhile(record => record.Id is not null).Select(record => record.Id));
        Assert.Equal(damage, Assert.Single(log.Damage));
        Assert.Single(folder.Loggers.Lines, line => line.StartsWith("1102:", StringComparison.Ordinal));
        Assert.Single(folder.Copies);

        // The readers of the next start say the same.
        await log.DisposeAsync();
        await using PartitionedClickLog next = await folder.OpenAsync();
        LogFolder.Read(next);
        Assert.Equal(damage, Assert.Single(next.Damage));
    }

    [Fact]
    public async Task Any_flipped_bit_of_the_last_batch_loses_that_record_or_that_batch_and_no_other()
    {
        using var folder = new LogFolder();
        await FillAsync(folder, ["a", "b"]);
        long start = new FileInfo(folder.Segments[0]).Length;
        await FillAsync(folder, ["c", "d", "e"]);
        string last = folder.Segments[0];
        Dictionary<string, byte[]> whole = folder.Save();
        for (long bit = start * 8; bit < whole[last].Length * 8L; bit++)
        {
            folder.Restore(whole);
            byte[] bytes = [.. whole[last]];
            bytes[bit / 8] ^= (byte)(1 << (int)(bit % 8));
            File.WriteAllBytes(last, bytes);

            await using PartitionedClickLog log = await folder.OpenAsync();
            List<Seen> seen = LogFolder.Read(log);
            AssertOnlyRight(seen, 0);
            Assert.Equal(5, log.GetRange(0).End);
            Assert.Equal(seen.Count(record => record.Id is null), log.DamagedRecords);
            Assert.Equal(["a", "b"], seen.Take(2).Select(record => record.Id));
            Assert.NotEmpty(log.Damage);
        }
    }

    [Fact]
    public async Task A_last_segment_that_is_gone_is_a_gap_and_the_log_goes_on_behind_it()
    {
        using var folder = new LogFolder();
        await FillAsync(folder, ["a", "b"]);
        folder.Options = folder.Options with { SegmentBytes = 1 };
        await FillAsync(folder, ["c", "d"]);
        Assert.Equal(2, folder.Segments.Length);
        File.Delete(folder.Segments[1]);

        await using PartitionedClickLog log = await folder.OpenAsync();
        await LogFolder.AppendAsync(log, "after");
        Assert.Equal([new(0, "a"), new(1, "b"), new(2, null), new(3, null), new(4, "after")], LogFolder.Read(log));
        Assert.Contains(log.Damage, damage => damage is { FromOffset: 2, ToOffset: 4 });
    }

    [Fact]
    public async Task A_partition_whose_segments_are_all_gone_does_not_start_at_zero_again()
    {
        using var folder = new LogFolder();
        await FillAsync(folder, ["a", "b"]);
        File.Delete(Assert.Single(folder.Segments));

        await using PartitionedClickLog log = await folder.OpenAsync();
        Assert.Equal((2, 2), log.GetRange(0));
        await LogFolder.AppendAsync(log, "after");
        Assert.Equal([new(2, "after")], LogFolder.Read(log));
        Assert.Contains(log.Damage, damage => damage.ToOffset == 2);
    }

    [Fact]
    public async Task A_note_that_is_older_than_the_log_or_unreadable_loses_nothing()
    {
        using var folder = new LogFolder();
        await FillAsync(folder, ["a"]);
        string note = Path.Combine(folder.Durable, "p0000");
        byte[] old = await File.ReadAllBytesAsync(note, TestContext.Current.CancellationToken);
        await FillAsync(folder, ["b", "c"]);
        foreach (byte[] bytes in new[] { old, [], [1, 2, 3], new byte[32] })
        {
            await File.WriteAllBytesAsync(note, bytes, TestContext.Current.CancellationToken);
            await using PartitionedClickLog log = await folder.OpenAsync();
            Assert.Equal(["a", "b", "c"], LogFolder.Read(log).Select(seen => seen.Id));
            Assert.Empty(log.Damage);
        }
    }

    private static async Task<int> FillAsync(LogFolder folder, string[] ids)
    {
        await using PartitionedClickLog log = await folder.OpenAsync();
        await LogFolder.AppendAsync(log, ids);
        return ids.Length;
    }

    /// <summary>A record is what was written there, or it is named as damaged; it is never another one.</summary>
    private static void AssertOnlyRight(List<Seen> seen, int before)
    {
        for (int n = before; n < seen.Count; n++)
        {
            Assert.True(seen[n].Id is null || seen[n].Id == s_ids[n - before], $"offset {n} is {seen[n].Id}");
        }
    }
}
