using ClickAggregator.ClickLog.Tests.Folders;

namespace ClickAggregator.ClickLog.Tests.Files;

/// <summary>Segments go when they are counted and past their retention, whole, and never the last.</summary>
public class RetentionTests
{
    [Fact]
    public async Task Only_segments_that_are_counted_and_old_go()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = 1, Retention = TimeSpan.FromHours(24) };
        await using PartitionedClickLog log = await folder.OpenAsync();
        foreach (string id in new[] { "a", "b", "c", "d" })
        {
            await LogFolder.AppendAsync(log, id);
            folder.Time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(4, folder.Segments.Length);
        Assert.Equal(0, log.RemoveSegments(0, belowOffset: 4));

        folder.Time.Advance(TimeSpan.FromHours(21.5)); // "a" is 25.5 hours old, "b" 24.5, "c" 23.5
        Assert.Equal(0, log.RemoveSegments(0, belowOffset: 0));
        Assert.Equal(1, log.RemoveSegments(0, belowOffset: 1));
        Assert.Equal((1, 4), log.GetRange(0));
        Assert.Equal(1, log.RemoveSegments(0, belowOffset: 4));
        Assert.Equal((2, 4), log.GetRange(0));

        folder.Time.Advance(TimeSpan.FromDays(100));
        Assert.Equal(1, log.RemoveSegments(0, belowOffset: 4));
        Assert.Equal([new(3, "d")], LogFolder.Read(log));
    }

    [Fact]
    public async Task After_a_restart_the_age_of_a_closed_segment_is_not_forgotten()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = 1, Retention = TimeSpan.FromHours(24) };
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, "a");
            folder.Time.Advance(TimeSpan.FromHours(1));
            await LogFolder.AppendAsync(log, "b");
        }

        // The clock of the files is the machine's; the log's own is the one that counts.
        File.SetLastWriteTimeUtc(folder.Segments[0], folder.Time.GetUtcNow().UtcDateTime.AddDays(-30));
        await using PartitionedClickLog again = await folder.OpenAsync();
        Assert.Equal(0, again.RemoveSegments(0, belowOffset: 2));
        folder.Time.Advance(TimeSpan.FromHours(23.5));
        Assert.Equal(1, again.RemoveSegments(0, belowOffset: 2));
    }

    [Fact]
    public async Task A_reader_reads_a_removed_segment_to_its_end_and_a_new_one_hears_that_it_is_gone()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = 1, Retention = TimeSpan.Zero };
        await using PartitionedClickLog log = await folder.OpenAsync();
        await LogFolder.AppendAsync(log, "a", "b");
        await LogFolder.AppendAsync(log, "c");
        folder.Time.Advance(TimeSpan.FromMinutes(1));

        using ClickLogReader reader = log.OpenReader(0, 0);
        reader.Read(1, to: 1)!.Value.Return();
        Assert.Equal(1, log.RemoveSegments(0, belowOffset: 3));
        LogChunk rest = reader.Read(1 << 20)!.Value;
        Assert.Equal((1, 2), (rest.From, rest.To));
        rest.Return();

        using ClickLogReader late = log.OpenReader(0, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => late.Read(1 << 20));
    }
}
