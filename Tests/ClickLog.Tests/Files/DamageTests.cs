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
    public async Task A_closed_segment_that_is_cut_short_is_one_place_with_all_records_that_are_lost()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = 16 << 10 };
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            for (int n = 0; n < 30; n++)
            {
                await LogFolder.AppendAsync(log, [.. Enumerable.Range(n * 50, 50).Select(id => $"{id}")]);
            }
        }

        Assert.True(folder.Segments.Length > 2, "no closed segment in the middle");
        string middle = folder.Segments[1];
        Assert.True(SegmentFormat.TryParseName(folder.Segments[2], out long behind));
        using (FileStream file = File.OpenWrite(middle))
        {
            file.SetLength(file.Length / 2);
        }

        await using PartitionedClickLog again = await folder.OpenAsync();
        foreach (int maxBytes in new[] { 1, 1000, 1 << 20 })
        {
            List<Seen> seen = LogFolder.Read(again, maxBytes: maxBytes);
            int lost = seen.Count(record => record.Id is null);
            Assert.True(lost > 100, "a batch is not enough");
            Assert.All(seen, record => Assert.Equal(record.Offset >= behind - lost && record.Offset < behind ? null : $"{record.Offset}", record.Id));

            LogDamage damage = Assert.Single(again.Damage);
            Assert.Equal((behind - lost, behind, lost), (damage.FromOffset, damage.ToOffset, damage.Records));
            Assert.Equal("the file ends before its last record", damage.Reason);
            Assert.Equal(lost, again.DamagedRecords);
        }

        // Also where a reader starts in the middle of it.
        LogFolder.Read(again, from: behind - 5);
        Assert.Single(again.Damage);
        string told = Assert.Single(folder.Loggers.Lines);
        Assert.Contains($"({again.DamagedRecords} records): {middle} at byte ", told, StringComparison.Ordinal);
        Assert.Contains($"; a copy is in {Assert.Single(folder.Copies)}", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_segment_cut_between_two_batches_has_nothing_left_to_copy_and_says_so()
    {
        using var folder = new LogFolder();
        await FillAsync(folder);
        using (FileStream file = File.OpenWrite(folder.Segments[1]))
        {
            file.SetLength(SegmentFormat.HeadBytes);
        }

        await using PartitionedClickLog log = await folder.OpenAsync();
        LogFolder.Read(log);
        LogDamage damage = Assert.Single(log.Damage);
        Assert.Equal((4, 8, "the file ends before its last record, or the file behind it is gone"), (damage.FromOffset, damage.ToOffset, damage.Reason));
        Assert.EndsWith("; no byte of them is left", Assert.Single(folder.Loggers.Lines), StringComparison.Ordinal);
        Assert.Empty(folder.Copies);
    }

    [Fact]
    public async Task Damage_that_goes_on_from_batch_to_batch_is_one_place()
    {
        using var folder = new LogFolder();
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            for (int n = 0; n < 12; n += 3)
            {
                await LogFolder.AppendAsync(log, s_ids[n..(n + 3)]);
            }
        }

        // From the last record of the first batch to the first record of the fourth; the second batch keeps its head.
        byte[] bytes = await File.ReadAllBytesAsync(folder.Segments[0], TestContext.Current.CancellationToken);
        int batch = (bytes.Length - SegmentFormat.HeadBytes) / 4;
        int second = SegmentFormat.HeadBytes + batch;
        bytes.AsSpan(second - 5, 5).Fill(0xAA);
        bytes.AsSpan(second + BatchFormat.FixedBytes, (2 * batch) - BatchFormat.FixedBytes).Fill(0xAA);
        bytes[second + (2 * batch) + BatchFormat.FixedBytes + BatchFormat.FrameBytes] ^= 1;
        await File.WriteAllBytesAsync(folder.Segments[0], bytes, TestContext.Current.CancellationToken);

        await using PartitionedClickLog again = await folder.OpenAsync();
        List<Seen> seen = LogFolder.Read(again, maxBytes: 1);
        Assert.Equal([.. s_ids[..2], .. Enumerable.Repeat<string?>(null, 8), .. s_ids[10..]], seen.Select(record => record.Id));
        LogDamage damage = Assert.Single(again.Damage);
        Assert.Equal((2, 10, 8), (damage.FromOffset, damage.ToOffset, damage.Records));
        Assert.Single(folder.Loggers.Lines);
    }

    [Fact]
    public async Task More_damage_than_is_kept_is_counted_as_lost_and_no_longer_told_one_by_one()
    {
        const int Places = Quarantine.MaxDamage + 500;
        using var folder = new LogFolder();
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, [.. Enumerable.Range(0, Places * 2).Select(n => $"{n}")]);
        }

        // The same value byte of every other record: their lengths stay what they were.
        byte[] bytes = await File.ReadAllBytesAsync(folder.Segments[0], TestContext.Current.CancellationToken);
        int at = SegmentFormat.HeadBytes + BatchFormat.FixedBytes;
        for (int n = 0; n < Places * 2; n++)
        {
            int length = BatchFormat.ReadFrame(bytes.AsSpan(at), out int claimed);
            Assert.True(length > 0);
            bytes[at + BatchFormat.FrameBytes] ^= (byte)(n % 2);
            at += claimed;
        }

        await File.WriteAllBytesAsync(folder.Segments[0], bytes, TestContext.Current.CancellationToken);
        await using PartitionedClickLog again = await folder.OpenAsync();
        for (int read = 0; read < 2; read++)
        {
            List<Seen> seen = LogFolder.Read(again);
            Assert.All(seen, record => Assert.Equal(record.Offset % 2 == 1 ? null : $"{record.Offset}", record.Id));
            Assert.Equal(Quarantine.MaxDamage, again.Damage.Count);
            Assert.Equal(Places, again.DamagedRecords);
            Assert.Equal(Quarantine.MaxDamage + 1, folder.Loggers.Lines.Count);
        }
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
