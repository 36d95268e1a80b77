using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>
/// One write, executed on the writer's thread inside a transaction with its neighbours, and answered on a thread of the pool.
/// </summary>
internal abstract class StoreWrite : TaskCompletionSource
{
    /// <summary>May be called again, after what it did was rolled back.</summary>
    public abstract void Execute(WriteStatements statements);
}

/// <summary>
/// The one writer: a thread that takes all that waits into one transaction and answers it after the commit. The more
/// waits, the more share a commit.
/// </summary>
internal sealed partial class SqliteWriter : IAsyncDisposable
{
    // Readers end within a query's deadline; the writes that wait meanwhile do no harm for so long.
    private const int RestartWaitMilliseconds = 1_000;
    private static readonly TimeSpan s_sayEvery = TimeSpan.FromSeconds(10);
    private readonly SqliteConnection _connection;
    private readonly WriteStatements _statements;
    private readonly Channel<StoreWrite> _queue;
    private readonly SqliteOptions _options;
    private readonly ILogger _logger;
    private long _saidAt;
    private long _unsaid;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SqliteWriter(SqliteConnection connection, SqliteOptions options, ILogger logger)
    {
        _connection = connection;
        _options = options;
        _logger = logger;
        _queue = Channel.CreateBounded<StoreWrite>(new BoundedChannelOptions(options.MaxQueued) { SingleReader = true });
        _statements = new WriteStatements(connection.Handle!);
        new Thread(Run) { IsBackground = true, Name = "store writer" }.Start();
    }

    /// <summary>How many writes wait.</summary>
    public int Queued => _queue.Reader.Count;

    /// <summary>Queues a write; its task ends after the commit.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public Task WriteAsync(StoreWrite write) => _queue.Writer.TryWrite(write) ? write.Task : WaitAndWriteAsync(write);

    /// <summary>Starts the write-ahead log over, between two transactions: waits for the readers in it for a while.</summary>
    public Task RestartLogAsync() => WriteAsync(new LogRestart());

    /// <summary>Takes nothing more, and ends when all that waits is answered.</summary>
    public async Task StopAsync()
    {
        _queue.Writer.TryComplete();
        await _ended.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _statements.Dispose();
        await _connection.DisposeAsync();
    }

    private async Task WaitAndWriteAsync(StoreWrite write)
    {
        try
        {
            await _queue.Writer.WriteAsync(write);
        }
        catch (ChannelClosedException error)
        {
            throw new ObjectDisposedException("the store is closed", error);
        }

        await write.Task;
    }

    private void Run()
    {
        var writes = new List<StoreWrite>();
        ChannelReader<StoreWrite> queue = _queue.Reader;
        while (queue.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            LogRestart? restart = null;
            while (restart is null && writes.Count < _options.MaxTransaction && queue.TryRead(out StoreWrite? write))
            {
                restart = write as LogRestart;
                if (restart is null)
                {
                    writes.Add(write);
                }
            }

            if (writes.Count > 0)
            {
                Commit(writes);
                writes.Clear();
            }

            if (restart is not null)
            {
                RestartLog(restart);
            }
        }

        _ended.SetResult();
    }

    private void Commit(List<StoreWrite> writes)
    {
        if (TryCommit(writes) is not { } error)
        {
            return;
        }

        if (writes.Count > 1 && StoreFaults.IsOfTheWrite(error))
        {
            // One of them cannot be written, and would never be: the others must not wait for it.
            foreach (StoreWrite write in writes)
            {
                if (TryCommit([write]) is { } own)
                {
                    Answer([write], own);
                }
            }

            return;
        }

        Answer([.. writes], error);
    }

    /// <summary>
    /// Answers all of them in one work item of the pool: what waits for a write never runs on the writer's thread, and dozens of
    /// grains need not stand in the pool's queue to be told, only to go on.
    /// </summary>
    private static void Answer(StoreWrite[] writes, Exception? error = null) => ThreadPool.UnsafeQueueUserWorkItem(
        static answered =>
        {
            foreach (StoreWrite write in answered.Writes)
            {
                if (answered.Error is null)
                {
                    write.TrySetResult();
                }
                else
                {
                    write.TrySetException(new IOException($"the store did not take the write: {answered.Error.Message}", answered.Error));
                }
            }
        },
        (Writes: writes, Error: error),
        preferLocal: false);

    /// <summary>All of them in one transaction, and answered; or none, and the error.</summary>
    private Exception? TryCommit(List<StoreWrite> writes)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            _statements.Begin.Run();
            foreach (StoreWrite write in writes)
            {
                write.Execute(_statements);
            }

            _statements.Commit.Run();
        }
#pragma warning disable CA1031 // whatever it is goes to those who wait; the thread must outlive it
        catch (Exception error)
#pragma warning restore CA1031
        {
            SayFailed(error, writes.Count);
            RollBack();
            return error;
        }

        StoreInstruments.Committed(Stopwatch.GetElapsedTime(start), writes.Count);
        Answer([.. writes]);
        return null;
    }

    /// <summary>Some hundred transactions a second fail where a disk is full, and all of the log that tells of them goes to a disk.</summary>
    private void SayFailed(Exception error, int writes)
    {
        if (_saidAt != 0 && Stopwatch.GetElapsedTime(_saidAt) < s_sayEvery)
        {
            _unsaid++;
            return;
        }

        LogFailed(_logger, error is StoreFailedException ? null : error, writes, error.Message, _unsaid);
        (_saidAt, _unsaid) = (Stopwatch.GetTimestamp(), 0);
    }

    private void RollBack()
    {
        _statements.Reset();
        if (raw.sqlite3_get_autocommit(_statements.Database) != 0)
        {
            return; // SQLite has rolled back by itself: a full disk does that
        }

        try
        {
            _statements.Rollback.Run();
        }
        catch (IOException error)
        {
            LogRollback(_logger, error);
        }
    }

    private void RestartLog(LogRestart restart)
    {
        sqlite3 database = _statements.Database;
        _ = raw.sqlite3_busy_timeout(database, RestartWaitMilliseconds);
        int result = raw.sqlite3_wal_checkpoint_v2(database, "main", raw.SQLITE_CHECKPOINT_TRUNCATE, out int frames, out int copied);
        _ = raw.sqlite3_busy_timeout(database, (int)_options.LockTimeout.TotalMilliseconds);
        if (result != raw.SQLITE_OK)
        {
            LogNotRestarted(_logger, frames, copied, result);
        }

        Answer([restart]);
    }

    /// <summary>Not a write: what stands outside of any transaction.</summary>
    private sealed class LogRestart : StoreWrite
    {
        public override void Execute(WriteStatements statements) => throw new InvalidOperationException("it runs between transactions");
    }

    [LoggerMessage(EventId = 3001, Level = LogLevel.Error, Message = "a transaction of {Writes} writes failed and was rolled back: {Reason} ({Unsaid} more since this was last said)")]
    private static partial void LogFailed(ILogger logger, Exception? error, int writes, string reason, long unsaid);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Error, Message = "a transaction that failed could not be rolled back")]
    private static partial void LogRollback(ILogger logger, Exception error);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Warning, Message = "the store's write-ahead log is long ({Frames} pages, {Copied} of them copied) and could not start over, because reads hold it (SQLite {Result}); tried again in a minute")]
    private static partial void LogNotRestarted(ILogger logger, int frames, int copied, int result);
}
