using System.Security.Cryptography;
using ClickAggregator.ClickLog.Tests.Folders;

namespace ClickAggregator.ClickLog.Tests.Files;

/// <summary>Who may open a data directory, and what has to be whole for it.</summary>
public class OpeningTests
{
    [Fact]
    public async Task A_second_one_on_the_same_directory_is_refused_and_hears_who_holds_it()
    {
        using var folder = new LogFolder();
        await using PartitionedClickLog log = await folder.OpenAsync();

        LogUnusableException refused = await Assert.ThrowsAsync<LogUnusableException>(folder.OpenAsync);
        Assert.Contains($"in use by another process (process {Environment.ProcessId})", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--data", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_not_said_to_be_in_use()
    {
        using var folder = new LogFolder();
        string file = Path.Combine(folder.Path, "a-file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        folder.Options = folder.Options with { Directory = Path.Combine(file, "data") };

        LogUnusableException refused = await Assert.ThrowsAsync<LogUnusableException>(folder.OpenAsync);
        Assert.Contains("cannot be used as data directory", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_number_of_partitions_is_the_one_it_was_made_with()
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { Partitions = 3 };
        await using (PartitionedClickLog log = await folder.OpenAsync())
        {
            Assert.Equal(3, log.Partitions);
        }

        folder.Options = folder.Options with { Partitions = 8 };
        await using PartitionedClickLog again = await folder.OpenAsync();
        Assert.Equal(3, again.Partitions);
        Assert.Contains(folder.Loggers.Lines, line => line.Contains("made with 3 partitions", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_partition_without_its_folder_is_refused_because_its_clicks_would_go_elsewhere(int missing)
    {
        using var folder = new LogFolder();
        folder.Options = folder.Options with { Partitions = 3 };
        await (await folder.OpenAsync()).DisposeAsync();
        Directory.Delete(folder.Partition(missing), recursive: true);

        LogUnusableException refused = await Assert.ThrowsAsync<LogUnusableException>(folder.OpenAsync);
        Assert.Contains($"p000{missing}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_log_without_its_id_is_refused(bool deleted)
    {
        using var folder = new LogFolder();
        await (await folder.OpenAsync()).DisposeAsync();
        string id = Path.Combine(folder.Path, "log-id");
        if (deleted)
        {
            File.Delete(id);
        }
        else
        {
            await File.WriteAllTextAsync(id, "not an id", TestContext.Current.CancellationToken);
        }

        LogUnusableException refused = await Assert.ThrowsAsync<LogUnusableException>(folder.OpenAsync);
        Assert.Contains(id, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_who_only_reads_may_look_while_another_writes_and_changes_nothing()
    {
        using var folder = new LogFolder();
        await using PartitionedClickLog log = await folder.OpenAsync();
        await LogFolder.AppendAsync(log, "a", "b");

        // A write lies behind them that is whole, and not acknowledged yet.
        using var fsync = new ManualResetEventSlim();
        using var written = new SemaphoreSlim(0);
        folder.Disk.Flushing = () =>
        {
            written.Release();
            fsync.Wait(TestContext.Current.CancellationToken);
        };
        Task append = LogFolder.AppendAsync(log, "c");
        await written.WaitAsync(TestContext.Current.CancellationToken);
        string before = Digest(folder);
        await using (PartitionedClickLog looking = await folder.OpenToReadAsync())
        {
            Assert.Equal(log.LogId, looking.LogId);
            Assert.Equal(["a", "b"], LogFolder.Read(looking).Select(seen => seen.Id));
            await Assert.ThrowsAsync<InvalidOperationException>(() => LogFolder.AppendAsync(looking, "no"));
        }

        Assert.Equal(before, Digest(folder));
        fsync.Set();
        await append;
    }

    [Fact]
    public async Task One_who_only_reads_makes_no_log_where_there_is_none()
    {
        using var folder = new LogFolder();
        await Assert.ThrowsAsync<LogUnusableException>(folder.OpenToReadAsync);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    private static string Digest(LogFolder folder) => string.Join('\n', folder.Save()
        .OrderBy(file => file.Key, StringComparer.Ordinal)
        .Select(file => $"{file.Key} {Convert.ToHexString(SHA256.HashData(file.Value))}"));
}
