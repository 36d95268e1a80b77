using ClickAggregator.ClickLog.Tests.Folders;

namespace ClickAggregator.ClickLog.Tests.Appending;

/// <summary>A disk without room is a pause; a disk that fails is the end of the process. Neither acknowledges a click that is not on it.</summary>
public class DiskFaultTests
{
    [Theory]
    [InlineData(1 << 20)]
    [InlineData(1)]
    public async Task A_full_disk_refuses_the_clicks_keeps_the_acknowledged_ones_and_takes_more_when_it_has_room(long segmentBytes)
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = segmentBytes };
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, "a");
            folder.Disk.WriteFault = FaultyDisk.Full;
            await Assert.ThrowsAsync<LogFullException>(() => LogFolder.AppendAsync(log, "refused-1"));
            await Assert.ThrowsAsync<LogFullException>(() => LogFolder.AppendAsync(log, "refused-2"));
            Assert.Equal(2, folder.Disk.Faults);
            Assert.Equal(["a"], Ids(log));

            folder.Disk.WriteFault = null;
            await LogFolder.AppendAsync(log, "b");
            Assert.Equal(["a", "b"], Ids(log));
            Assert.False(log.Failed.IsCompleted);
        }

        await using PartitionedClickLog again = await folder.OpenAsync();
        Assert.Equal(["a", "b"], Ids(again));
        Assert.Empty(again.Damage);
        Assert.Empty(folder.Tails);
    }

    [Theory]
    [InlineData(true, 1 << 20)]
    [InlineData(true, 1)]
    [InlineData(false, 1 << 20)]
    [InlineData(false, 1)]
    public async Task After_an_error_of_the_disk_nothing_is_acknowledged_any_more_and_the_process_is_told(bool inFlush, long segmentBytes)
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = segmentBytes };
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            await LogFolder.AppendAsync(log, "a");
            if (inFlush)
            {
                folder.Disk.FlushFault = FaultyDisk.Broken;
            }
            else
            {
                folder.Disk.WriteFault = FaultyDisk.Broken;
            }

            await Assert.ThrowsAsync<LogFailedException>(() => LogFolder.AppendAsync(log, "b"));
            Assert.IsType<LogFailedException>(await log.Failed);
            Assert.Equal(1, folder.Disk.Faults);

            // The disk may answer again: what it holds of the failed write is not known, so nothing may follow.
            folder.Disk.FlushFault = null;
            folder.Disk.WriteFault = null;
            await Assert.ThrowsAsync<LogFailedException>(() => LogFolder.AppendAsync(log, "c"));
            Assert.Equal(["a"], Ids(log));
        }

        await using PartitionedClickLog again = await folder.OpenAsync();
        Assert.Equal("a", Ids(again)[0]);
        Assert.DoesNotContain("c", Ids(again));
        Assert.Empty(again.Damage);
    }

    [Fact]
    public async Task At_its_own_bound_the_log_refuses_and_takes_more_when_segments_are_removed()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { SegmentBytes = 1, MaxBytes = 600, Retention = TimeSpan.FromHours(1) };
        await using PartitionedClickLog log = await folder.OpenAsync();
        var taken = new List<string>();
        LogFullException? full = null;
        for (int n = 0; n < 100 && full is null; n++)
        {
            try
            {
                await LogFolder.AppendAsync(log, $"id-{n}");
                taken.Add($"id-{n}");
            }
            catch (LogFullException refused)
            {
                full = refused;
            }
        }

        Assert.Contains("ClickLog:MaxBytes", full!.Message, StringComparison.Ordinal);
        Assert.Equal(taken, Ids(log));
        Assert.Equal(new DirectoryInfo(folder.Partition(0)).GetFiles().Sum(file => file.Length), log.Bytes);

        folder.Time.Advance(TimeSpan.FromHours(2));
        Assert.True(log.RemoveSegments(0, belowOffset: taken.Count) > 0);
        await LogFolder.AppendAsync(log, "after");
        Assert.Equal(new DirectoryInfo(folder.Partition(0)).GetFiles().Sum(file => file.Length), log.Bytes);
        Assert.Equal("after", Ids(log)[^1]);
    }

    private static string[] Ids(PartitionedClickLog log) => [.. LogFolder.Read(log).Select(seen => seen.Id ?? "damaged")];
}
