using ClickAggregator.ClickLog.Tests.Folders;

namespace ClickAggregator.ClickLog.Tests.Appending;

/// <summary>Many requests share an fsync, and none hears "accepted" before it.</summary>
public class GroupCommitTests
{
    [Fact]
    public async Task What_waits_while_the_disk_is_busy_shares_the_next_fsync()
    {
        const int Appends = 200;
        using var folder = new LogFolder();
        await using PartitionedClickLog log = await folder.OpenAsync();
        using var busy = new ManualResetEventSlim();
        using var inFlush = new SemaphoreSlim(0);
        folder.Disk.Flushing = () =>
        {
            inFlush.Release();
            busy.Wait(TestContext.Current.CancellationToken);
        };

        int before = folder.Disk.Flushes;
        Task first = LogFolder.AppendAsync(log, "first");
        await inFlush.WaitAsync(TestContext.Current.CancellationToken);
        Task[] others = [.. Enumerable.Range(0, Appends).Select(n => LogFolder.AppendAsync(log, $"id-{n}"))];

        Assert.False(first.IsCompleted);
        Assert.DoesNotContain(others, other => other.IsCompleted);
        Assert.Equal((0, 0), log.GetRange(0));

        busy.Set();
        await first;
        await Task.WhenAll(others);
        Assert.Equal(2, folder.Disk.Flushes - before);
        Assert.Equal(Appends + 1, LogFolder.Read(log).Count);
    }

    [Fact]
    public async Task More_than_may_wait_is_refused_whole_and_at_once()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { Partitions = 2, QueueBytes = 1000 };
        await using PartitionedClickLog log = await folder.OpenAsync();
        using var busy = new ManualResetEventSlim();
        folder.Disk.Flushing = () => busy.Wait(TestContext.Current.CancellationToken);

        var taken = new List<Task>();
        LogOverloadedException? refused = null;
        for (int n = 0; n < 1000 && refused is null; n++)
        {
            Task append = LogFolder.AppendAsync(log, [.. Enumerable.Range(0, 8).Select(i => $"id-{n}-{i}")]);
            refused = append.Exception?.InnerException as LogOverloadedException;
            if (refused is null)
            {
                taken.Add(append);
            }
        }

        Assert.NotNull(refused);
        busy.Set();
        await Task.WhenAll(taken);
        Assert.Equal(taken.Count * 8, LogFolder.Read(log).Count + LogFolder.Read(log, 1).Count);
    }

    [Fact]
    public async Task Closing_writes_what_was_handed_over_and_refuses_what_comes_later()
    {
        using var folder = new LogFolder();
        PartitionedClickLog log = await folder.OpenAsync();
        Task[] appends = [.. Enumerable.Range(0, 50).Select(n => LogFolder.AppendAsync(log, $"id-{n}"))];
        await log.DisposeAsync();
        await Task.WhenAll(appends);
        await Assert.ThrowsAsync<LogUnusableException>(() => LogFolder.AppendAsync(log, "late"));

        await using PartitionedClickLog again = await folder.OpenAsync();
        Assert.Equal(50, LogFolder.Read(again).Count);
    }
}
