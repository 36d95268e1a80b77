using ClickAggregator.ClickLog.Files;
using ClickAggregator.ClickLog.Tests.Folders;

namespace ClickAggregator.ClickLog.Tests.Files;

/// <summary>How far a source was read stands beside its clicks, in each partition's own file, and nowhere else.</summary>
public class MarkerTests
{
    [Fact]
    public async Task The_last_marker_of_each_source_outlives_segments_and_restarts()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = 1, Retention = TimeSpan.Zero };
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, new SourceMarker("one", 0, 10), "a");
            await LogFolder.AppendAsync(log, new SourceMarker("two", 0, 20), "b");
            await LogFolder.AppendAsync(log, new SourceMarker("one", 10, 30), "c");
            await LogFolder.AppendAsync(log, "d");
            folder.Time.Advance(TimeSpan.FromMinutes(1));
            Assert.True(log.RemoveSegments(0, belowOffset: 4) > 0);
        }

        await using PartitionedClickLog again = await folder.OpenAsync();
        AssertMarkers(again, ("one", 10, 30), ("two", 0, 20));
    }

    [Fact]
    public async Task A_marker_is_there_exactly_if_its_clicks_are()
    {
        using var folder = new LogFolder();
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, new SourceMarker("one", 0, 10), "a");
            await LogFolder.AppendAsync(log, new SourceMarker("one", 10, 20), "b", "c");
        }

        folder.ForgetDurable();
        Dictionary<string, byte[]> whole = folder.Save();
        byte[] bytes = whole[folder.Segments[0]];
        for (int length = SegmentFormat.HeadBytes; length <= bytes.Length; length++)
        {
            folder.Restore(whole);
            await File.WriteAllBytesAsync(folder.Segments[0], bytes[..length], TestContext.Current.CancellationToken);
            await using PartitionedClickLog log = await folder.OpenAsync();
            switch (LogFolder.Read(log).Count)
            {
                case 0:
                    Assert.Empty(log.GetMarkers(0));
                    break;
                case 1:
                    AssertMarkers(log, ("one", 0, 10));
                    break;
                default:
                    AssertMarkers(log, ("one", 10, 20));
                    break;
            }

            folder.ForgetDurable();
        }
    }

    [Fact]
    public async Task Markers_whose_copy_at_the_start_of_a_segment_is_damaged_are_found_in_the_one_before()
    {
        using var folder = new LogFolder();
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, new SourceMarker("one", 0, 10), "a");
        }

        folder.Options = folder.Options with { SegmentBytes = 1 };
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, "b");
        }

        byte[] bytes = await File.ReadAllBytesAsync(folder.Segments[1], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(folder.Segments[1], bytes[..SegmentFormat.HeadBytes], TestContext.Current.CancellationToken);
        await using PartitionedClickLog again = await folder.OpenAsync();
        AssertMarkers(again, ("one", 0, 10));
        Assert.Equal([new(0, "a"), new(1, null)], LogFolder.Read(again));
    }

    [Fact]
    public async Task A_marker_goes_into_each_partition_that_was_named_also_without_clicks()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { Partitions = 3 };
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            using ClickBatch batch = LogFolder.Batch(log, []);
            await log.AppendAsync(batch, new SourceMarker("one", 0, 10), p => p != 1, TestContext.Current.CancellationToken);
        }

        await using PartitionedClickLog again = await folder.OpenAsync();
        Assert.Single(again.GetMarkers(0));
        Assert.Empty(again.GetMarkers(1));
        Assert.Single(again.GetMarkers(2));
        Assert.Equal((0, 0), again.GetRange(0));
    }

    private static void AssertMarkers(PartitionedClickLog log, params (string Source, long From, long To)[] expected) =>
        Assert.Equal(
            expected.Select(marker => new SourceMarker(marker.Source, marker.From, marker.To)),
            log.GetMarkers(0).Values.OrderBy(marker => marker.Source, StringComparer.Ordinal));
}
