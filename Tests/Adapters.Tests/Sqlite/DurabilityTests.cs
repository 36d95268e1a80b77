using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Sqlite;

/// <summary>
/// What <see cref="SqliteStore.CheckpointAsync"/> promises: segments of the click log are removed on it, so what was
/// committed before has to be there after the power was cut, whatever readers do meanwhile.
/// </summary>
public class DurabilityTests
{
    private static readonly WindowKey s_key = new("ad:1", 500_000, 0);

    [Fact]
    public async Task What_was_committed_before_a_checkpoint_is_there_after_the_power_was_cut()
    {
        var disk = new CutDisk();
        await using var store = new StoreFolder(disk: disk);
        await store.Windows.WriteAsync(s_key, Row(1, 0, 1));
        disk.KeepFile(store.Options.Path);
        for (int round = 2; round < 6; round++)
        {
            await store.Windows.WriteAsync(s_key, Row(round, 0, round));
            await store.Store.CheckpointAsync(CancellationToken.None);

            Assert.Equal(round, await disk.AfterPowerLossAsync(s_key));
        }
    }

    /// <summary>An order to erase somebody holds an id, and is written over once it is done.</summary>
    [Fact]
    public async Task What_was_deleted_is_not_left_in_the_file()
    {
        await using var store = new StoreFolder();
        foreach (string sql in new[] { "INSERT INTO facts VALUES ('somebody-1234567', 1)", "INSERT INTO facts VALUES ('somebody-else', 1)", "DELETE FROM facts WHERE name = 'somebody-1234567'" })
        {
            await store.Store.WriteAsync(new ActionWrite(statements =>
            {
                using var statement = new Statement(statements.Database, sql);
                statement.Run();
            }));
            await store.Store.CheckpointAsync(CancellationToken.None);
        }

        byte[] file = await File.ReadAllBytesAsync(store.Options.Path);
        Assert.NotEqual(-1, file.AsSpan().IndexOf("somebody-else"u8));
        Assert.Equal(-1, file.AsSpan().IndexOf("somebody-1234567"u8));
    }

    /// <summary>A checkpoint cannot copy what is newer than the oldest view: it does nothing, flushes nothing, and is content.</summary>
    [Fact]
    public async Task Also_while_a_reader_holds_an_old_view_and_nothing_can_be_copied()
    {
        var disk = new CutDisk();
        await using var store = new StoreFolder(disk: disk);
        await store.Windows.WriteAsync(s_key, Row(1, 0, 1));
        disk.KeepFile(store.Options.Path);
        await using var view = new HeldView(store.Store);
        await view.HeldAsync();
        for (int round = 2; round < 6; round++)
        {
            await store.Windows.WriteAsync(s_key, Row(round, 0, round));
            await store.Store.CheckpointAsync(CancellationToken.None);

            Assert.Equal(round, await disk.AfterPowerLossAsync(s_key));
        }
    }

    [Fact]
    public async Task A_flush_that_failed_once_is_never_believed_again()
    {
        var disk = new CutDisk();
        await using var store = new StoreFolder(disk: disk);
        await store.Windows.WriteAsync(s_key, Row(1, 0, 1));
        await store.Store.CheckpointAsync(CancellationToken.None);
        disk.Fails = true;
        await Assert.ThrowsAsync<IOException>(() => store.Store.CheckpointAsync(CancellationToken.None));
        disk.Fails = false;

        IOException error = await Assert.ThrowsAsync<IOException>(() => store.Store.CheckpointAsync(CancellationToken.None));

        Assert.Equal("the store could not be made durable (the disk is gone); it has to be started again, on a sound disk", error.Message);
        await store.Windows.WriteAsync(s_key, Row(2, 0, 2));
        await store.ReopenAsync();
        await store.Store.CheckpointAsync(CancellationToken.None);
        Assert.Equal(2, (await store.Windows.ReadAsync(s_key)).Clicks);
    }

    [Fact]
    public async Task A_log_that_readers_kept_growing_starts_over_when_they_let_go()
    {
        await using var store = new StoreFolder(change: options => options with { MaxWalBytes = 1 << 20 });
        long log = 0;
        await using (var view = new HeldView(store.Store))
        {
            await view.HeldAsync();
            for (int round = 1; round < 6; round++)
            {
                await Task.WhenAll(Enumerable.Range(0, 2000).Select(n => store.Windows.WriteAsync(new WindowKey($"ad:{n}", round, 0), Row(1, 0, 1))));
            }

            await store.Store.CheckpointAsync(CancellationToken.None); // the reader is in the way: no harm, and no error
            log = new FileInfo(store.Options.Path + "-wal").Length;
            Assert.True(log > 1 << 20, $"{log}");
            await store.Windows.WriteAsync(s_key, Row(1, 0, 1));
        }

        await store.Store.CheckpointAsync(CancellationToken.None);

        Assert.True(new FileInfo(store.Options.Path + "-wal").Length < 1 << 20);
        await store.Windows.WriteAsync(s_key, Row(2, 0, 2));
        Assert.Equal(2, (await store.Windows.ReadAsync(s_key)).Clicks);
    }

    [Fact]
    public async Task A_store_that_was_closed_is_one_file()
    {
        await using var store = new StoreFolder();
        await store.Windows.WriteAsync(s_key, Row(1, 0, 1));
        _ = await store.Counts.ReadHoursAsync(["ad:1"], 0, 1_000_000, true, CancellationToken.None);
        _ = await store.Windows.ReadAsync(s_key);

        await store.Store.DisposeAsync();

        Assert.Equal([store.Options.Path], Directory.GetFiles(store.Folder));
        await store.ReopenAsync();
        Assert.Equal(1, (await store.Windows.ReadAsync(s_key)).Clicks);
    }

    [Fact]
    public async Task What_a_run_that_was_killed_left_in_the_log_is_taken_over()
    {
        await using var store = new StoreFolder();
        await store.Windows.WriteAsync(s_key, Row(1, 0, 7));
        string killed = Path.Combine(store.Folder, "killed");
        Directory.CreateDirectory(killed);
        File.Copy(store.Options.Path, Path.Combine(killed, "store.db"));
        File.Copy(store.Options.Path + "-wal", Path.Combine(killed, "store.db-wal"));

        await using SqliteStore next = SqliteStore.Open(new SqliteOptions { Path = Path.Combine(killed, "store.db") }, NullLoggerFactory.Instance);

        Assert.Equal(7, (await new SqliteWindowStorage(next).ReadAsync(s_key)).Clicks);
        Assert.Equal(0, new FileInfo(Path.Combine(killed, "store.db-wal")).Length);
    }

    /// <summary>
    /// Remembers what would be left after a power cut in the worst case: the database file as it was at first, and the
    /// write-ahead log as it was flushed last.
    /// </summary>
    private sealed class CutDisk : StoreDisk
    {
        private byte[] _file = [];
        private byte[] _log = [];

        public bool Fails { get; set; }

        public void KeepFile(string path)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            _file = new byte[file.Length];
            file.ReadExactly(_file);
        }

        public override void Flush(SafeFileHandle file)
        {
            if (Fails)
            {
                throw new IOException("the disk is gone");
            }

            base.Flush(file);
            _log = new byte[RandomAccess.GetLength(file)];
            Assert.Equal(_log.Length, RandomAccess.Read(file, _log, 0));
        }

        public async Task<long> AfterPowerLossAsync(WindowKey key)
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("click-power-");
            string path = Path.Combine(folder.FullName, "store.db");
            await File.WriteAllBytesAsync(path, _file);
            await File.WriteAllBytesAsync(path + "-wal", _log);
            await using (SqliteStore store = SqliteStore.Open(new SqliteOptions { Path = path }, NullLoggerFactory.Instance))
            {
                long clicks = (await new SqliteWindowStorage(store).ReadAsync(key)).Clicks;
                await store.DisposeAsync();
                folder.Delete(recursive: true);
                return clicks;
            }
        }
    }

    /// <summary>A reader that began, and keeps its view until it is let go.</summary>
    private sealed class HeldView : IAsyncDisposable
    {
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _let = new();
        private readonly Task<long> _reading;

        public HeldView(SqliteStore store)
        {
            _reading = store.ReadAsync(
                session =>
                {
                    Statement count = session.Prepare("SELECT count(*) FROM clicks_by_hour");
                    count.Step();
                    _held.SetResult();
                    _let.Wait();
                    long rows = count.Number(0);
                    count.Reset();
                    return rows;
                },
                CancellationToken.None);
        }

        public Task HeldAsync() => _held.Task;

        public async ValueTask DisposeAsync()
        {
            _let.Set();
            await _reading;
            _let.Dispose();
        }
    }
}
