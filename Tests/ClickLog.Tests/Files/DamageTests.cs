using ClickAggregator.ClickLog.Files;
using ClickAggregator.ClickLog.Tests.Folders;

namespace ClickAggregator.ClickLog.Tests.Files;

/// <summary>Damage in the middle of the log: quarantined and told, never skipped in silence.</summary>
public class DamageTests
{
    private static readonly string[] s_ids = [.. Enumerable.Range(0, 12).Select(n => $"id-{n:D2}")];

    [Fact]
    public async Task Any_flipped_bit_in_the_middle_damages_a_record_or_a_batch_and_all_others_are_read()
    {
        using var folder = new LogFolder();
        await FillAsync(folder);
        string middle = folder.Segments[1];
        Dictionary<string, byte[]> whole = folder.Save();
        for (long bit = SegmentFormat.HeadBytes * 8; bit < whole[middle].Length * 8L; bit++)
        {
            folder.Restore(whole);
            Flip(middle, whole[middle], bit);

            await using PartitionedClickLog log = await folder.OpenAsync();
            List<Seen> seen = LogFolder.Read(log);
            Assert.Equal(s_ids.Length, seen.Count);
            for (int n = 0; n < seen.Count; n++)
            {
                Assert.True(seen[n].Id is null || seen[n].Id == s_ids[n], $"bit {bit}: offset {n} is {seen[n].Id}");
            }

            int lost = seen.Count(record => record.Id is null);
            Assert.InRange(lost, 1, 3);
            Assert.Equal(lost, log.Damage.Sum(damage => damage.ToOffset - damage.FromOffset));
            Assert.All(log.Damage, damage => Assert.Equal(middle, damage.File));
            Assert.NotEmpty(folder.Copies);
        }
    }

    [Fact]
    public async Task A_middle_segment_cut_at_any_byte_loses_what_is_behind_the_cut_and_nothing_else()
    {
        using var folder = new LogFolder();
        await FillAsync(folder);
        string middle = folder.Segments[1];
        Dictionary<string, byte[]> whole = folder.Save();
        int most = 0;
        for (int length = 0; length < whole[middle].Length; length++)
        {
            folder.Restore(whole);
            File.WriteAllBytes(middle, whole[middle][..length]);

            await using PartitionedClickLog log = await folder.OpenAsync();
            List<Seen> seen = LogFolder.Read(log);
            int kept = seen.Skip(4).TakeWhile(record => record.Id is not null).Count();
            Assert.Equal(s_ids[..(4 + kept)], seen.Take(4 + kept).Select(record => record.Id));
            Assert.All(seen[(4 + kept)..8], record => Assert.Null(record.Id));
            Assert.Equal(s_ids[8..], seen.Skip(8).Select(record => record.Id));
            Assert.NotEmpty(log.Damage);
            most = Math.Max(most, kept);
        }

        Assert.Equal(3, most);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_segment_without_a_sound_head_is_read_all_the_same(int segment)
    {
        using var folder = new LogFolder();
        await FillAsync(folder);
        string file = folder.Segments[segment];
        Flip(file, await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken), 100);

        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            Assert.Contains(folder.Loggers.Lines, line => line.Contains("its head is damaged", StringComparison.Ordinal));
            Assert.Equal(s_ids, LogFolder.Read(log).Select(seen => seen.Id));
            await LogFolder.AppendAsync(log, "after");
        }

        await using PartitionedClickLog again = await folder.OpenAsync();
        Assert.Equal([.. s_ids, "after"], LogFolder.Read(again).Select(seen => seen.Id));
    }

    [Fact]
    public async Task A_segment_of_another_log_is_refused_and_named()
    {
        using var folder = new LogFolder();
        using var other = new LogFolder();
        await FillAsync(folder);
        await FillAsync(other);
        File.Copy(other.Segments[1], folder.Segments[1], overwrite: true);

        LogUnusableException refused = await Assert.ThrowsAsync<LogUnusableException>(folder.OpenAsync);
        Assert.Contains(folder.Segments[1], refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_middle_segment_that_is_gone_is_damage()
    {
        using var folder = new LogFolder();
        await FillAsync(folder);
        File.Delete(folder.Segments[1]);

        await using PartitionedClickLog log = await folder.OpenAsync();
        List<Seen> seen = LogFolder.Read(log);
        Assert.Equal([.. s_ids[..4], null, null, null, null, .. s_ids[8..]], seen.Select(record => record.Id));
        Assert.Contains(log.Damage, damage => damage is { FromOffset: 4, ToOffset: 8 });
    }

    [Fact]
    public async Task Damage_is_told_once_however_often_it_is_read_and_a_copy_outlives_the_segment()
    {
        using var folder = new LogFolder();
        await FillAsync(folder);
        byte[] bytes = await File.ReadAllBytesAsync(folder.Segments[1], TestContext.Current.CancellationToken);
        Flip(folder.Segments[1], bytes, (bytes.Length - 3) * 8L);

        await using PartitionedClickLog log = await folder.OpenAsync();
        LogFolder.Read(log);
        LogFolder.Read(log);
        Assert.Single(folder.Loggers.Lines, line => line.StartsWith("1102:", StringComparison.Ordinal));
        string copy = Assert.Single(folder.Copies);
        Assert.NotEmpty(await File.ReadAllBytesAsync(copy, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task More_damage_than_is_kept_is_counted_as_lost_and_no_longer_told_one_by_one()
    {
        const int Records = Quarantine.MaxDamage + 500;
        using var folder = new LogFolder();
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, [.. Enumerable.Range(0, Records).Select(n => $"{n}")]);
            await LogFolder.AppendAsync(log, "sound");
        }

        // The same value byte of every record: their lengths stay what they were.
        byte[] bytes = await File.ReadAllBytesAsync(folder.Segments[0], TestContext.Current.CancellationToken);
        int at = SegmentFormat.HeadBytes + BatchFormat.FixedBytes;
        for (int n = 0; n < Records; n++)
        {
            int length = BatchFormat.ReadFrame(bytes.AsSpan(at), out int claimed);
            Assert.True(length > 0);
            bytes[at + BatchFormat.FrameBytes] ^= 1;
            at += claimed;
        }

        await File.WriteAllBytesAsync(folder.Segments[0], bytes, TestContext.Current.CancellationToken);
        await using PartitionedClickLog again = await folder.OpenAsync();
        List<Seen> seen = LogFolder.Read(again);
        Assert.Equal(Records, seen.Count(record => record.Id is null));
        Assert.Equal("sound", seen[^1].Id);
        Assert.Equal(Quarantine.MaxDamage, again.Damage.Count);
        Assert.Equal(Quarantine.MaxDamage + 1, folder.Loggers.Lines.Count);
    }

    /// <summary>Three segments of four records; the middle one as a batch of one and one of three.</summary>
    private static async Task FillAsync(LogFolder folder)
    {
        string[][] appends = [s_ids[..4], s_ids[4..5], s_ids[5..8], s_ids[8..]];
        long[] segmentBytes = [1 << 20, 1, 1 << 20, 1];
        for (int n = 0; n < appends.Length; n++)
        {
            folder.Options = folder.Options with { SegmentBytes = segmentBytes[n] };
            await using PartitionedClickLog log = await folder.OpenAsync();
            await LogFolder.AppendAsync(log, appends[n]);
        }

        Assert.Equal(3, folder.Segments.Length);
        folder.Options = folder.Options with { SegmentBytes = 1 << 20 };
    }

    private static void Flip(string file, byte[] bytes, long bit)
    {
        byte[] flipped = [.. bytes];
        flipped[bit / 8] ^= (byte)(1 << (int)(bit % 8));
        File.WriteAllBytes(file, flipped);
    }
}
