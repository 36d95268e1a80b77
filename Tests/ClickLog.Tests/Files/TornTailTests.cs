using ClickAggregator.ClickLog.Files;
using ClickAggregator.ClickLog.Tests.Folders;

namespace ClickAggregator.ClickLog.Tests.Files;

/// <summary>A process or a machine that died while it wrote: what it had not acknowledged may end anywhere.</summary>
public class TornTailTests
{
    private static readonly string[][] s_appends = [["a"], ["b", "c", "d"], ["e"], ["f", "g"]];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_last_segment_cut_at_any_byte_keeps_the_longest_run_of_whole_batches_and_goes_on_behind_it(bool rolled)
    {
        using var folder = new LogFolder();
        List<Seen> before = rolled ? await FillFirstSegmentAsync(folder) : [];
        (string last, List<(long Length, List<Seen> Seen)> ends) = await FillAsync(folder, before);
        folder.ForgetDurable();
        Dictionary<string, byte[]> whole = folder.Save();

        for (int length = 0; length <= whole[last].Length; length++)
        {
            folder.Restore(whole);
            folder.ForgetDurable();
            File.WriteAllBytes(last, whole[last][..length]);
            (long kept, List<Seen> expected) = ends.Last(end => end.Length <= Math.Max(length, ends[0].Length));

            await using (PartitionedClickLog log = await folder.OpenAsync())
            {
                Assert.Equal(expected, LogFolder.Read(log));
                Assert.Equal(expected.Count, log.GetRange(0).End);
                Assert.Empty(log.Damage);
                if (length > kept)
                {
                    string tail = Assert.Single(folder.Tails);
                    Assert.Equal(whole[last][(int)kept..length], File.ReadAllBytes(tail));
                    string told = Assert.Single(folder.Loggers.Lines);
                    Assert.Contains($"{length - kept} bytes behind offset {expected.Count} were cut away", told, StringComparison.Ordinal);
                }

                await LogFolder.AppendAsync(log, "after-1", "after-2");
            }

            await using PartitionedClickLog again = await folder.OpenAsync();
            Assert.Equal([.. expected, new(expected.Count, "after-1"), new(expected.Count + 1, "after-2")], LogFolder.Read(again));
        }
    }

    [Fact]
    public async Task A_last_batch_of_full_length_that_was_not_acknowledged_is_cut_if_any_record_of_it_is_not_sound()
    {
        using var folder = new LogFolder();
        (string last, List<(long Length, List<Seen> Seen)> ends) = await FillAsync(folder, [["a"], ["b", "c", "d"]], []);
        folder.ForgetDurable();
        Dictionary<string, byte[]> whole = folder.Save();
        for (long at = ends[1].Length + BatchFormat.FixedBytes; at < ends[2].Length; at++)
        {
            folder.Restore(whole);
            folder.ForgetDurable();
            byte[] bytes = [.. whole[last]];
            bytes[at] ^= 0x10;
            File.WriteAllBytes(last, bytes);

            await using PartitionedClickLog log = await folder.OpenAsync();
            Assert.Equal(ends[1].Seen, LogFolder.Read(log));
            Assert.Single(folder.Tails);
        }
    }

    [Fact]
    public async Task A_tail_that_cannot_be_kept_aside_does_not_keep_the_log_from_opening()
    {
        using var folder = new LogFolder();
        (string last, List<(long Length, List<Seen> Seen)> ends) = await FillAsync(folder, []);
        folder.ForgetDurable();
        File.WriteAllBytes(last, File.ReadAllBytes(last)[..^1]);
        File.WriteAllText(folder.Quarantine, "a file where the folder should be");

        await using PartitionedClickLog log = await folder.OpenAsync();
        Assert.Equal(ends[^2].Seen, LogFolder.Read(log));
    }

    [Fact]
    public async Task A_segment_that_was_never_given_its_name_is_made_again()
    {
        using var folder = new LogFolder();
        List<Seen> before = await FillFirstSegmentAsync(folder);
        string first = Assert.Single(folder.Segments);
        string unfinished = Path.Combine(Path.GetDirectoryName(first)!, SegmentFormat.FileName(before.Count) + ".new");
        File.WriteAllBytes(unfinished, new byte[17]);
        folder.Options = folder.Options with { SegmentBytes = 1 };

        await using PartitionedClickLog log = await folder.OpenAsync();
        await LogFolder.AppendAsync(log, "after");

        Assert.Equal([.. before, new(before.Count, "after")], LogFolder.Read(log));
        Assert.False(File.Exists(unfinished));
    }

    private static async Task<List<Seen>> FillFirstSegmentAsync(LogFolder folder)
    {
        await using PartitionedClickLog log = await folder.OpenAsync();
        await LogFolder.AppendAsync(log, "first-1", "first-2");
        await LogFolder.AppendAsync(log, "first-3");
        return LogFolder.Read(log);
    }

    private static Task<(string Last, List<(long Length, List<Seen> Seen)> Ends)> FillAsync(LogFolder folder, List<Seen> before) =>
        FillAsync(folder, s_appends, before);

    /// <summary>Appends into a new last segment and notes how long it was, and what the log held, after each.</summary>
    private static async Task<(string Last, List<(long Length, List<Seen> Seen)> Ends)> FillAsync(
        LogFolder folder, string[][] appends, List<Seen> before)
    {
        // The first append rolls, the others go into the segment that it made.
        folder.Options = folder.Options with { SegmentBytes = before.Count > 0 ? 1 : 1 << 20 };

        var ends = new List<(long, List<Seen>)> { (SegmentFormat.HeadBytes, before) };
        string? last = null;
        for (int n = 0; n < appends.Length; n++)
        {
            await using PartitionedClickLog log = await folder.OpenAsync();
            await LogFolder.AppendAsync(log, appends[n]);
            last ??= folder.Segments[^1];
            Assert.Equal(last, folder.Segments[^1]);
            ends.Add((new FileInfo(last).Length, LogFolder.Read(log)));
            folder.Options = folder.Options with { SegmentBytes = 1 << 20 };
        }

        Assert.Equal(before.Count > 0 ? 2 : 1, folder.Segments.Length);
        return (last!, ends);
    }
}
