using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>One write, executed on the writer's thread inside a transaction with its neighbours.</summary>
internal abstract class StoreWrite : TaskCompletionSource
{
    protected StoreWrite()
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
    }

    public abstract void Execute(WriteStatements statements);
}

/// <summary>
/// The one writer: a thread that takes all that waits into one transaction and answers it after the commit. The more
/// waits, the more share a commit.
/// </summary>
internal sealed partial class SqliteWriter : IAsyncDisposable
{
    private const int QueueLength = 65_536;
    private readonly SqliteConnection _connection;
    private readonly WriteStatements _statements;
    private readonly Channel<StoreWrite> _queue = Channel.CreateBounded<StoreWrite>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly int _maxTransaction;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SqliteWriter(SqliteConnection connection, int maxTransaction, ILogger logger)
    {
        _connection = connection;
        _maxTransaction = maxTransaction;
        _logger = logger;
        _statements = new WriteStatements(connection.Handle!);
        _thread = new Thread(Run) { IsBackground = true, Name = "store writer" };
        _thread.Start();
    }

    /// <summary>Queues a write; its task ends after the commit.</summary>
    public Task WriteAsync(StoreWrite write) => _queue.Writer.TryWrite(write) ? write.Task : WaitAndWriteAsync(write);

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _ended.Task;
        _statements.Dispose();
        await _connection.DisposeAsync();
    }

    private async Task WaitAndWriteAsync(StoreWrite write)
    {
        await _queue.Writer.WriteAsync(write);
        await write.Task;
    }

    private void Run()
    {
        var writes = new List<StoreWrite>(_maxTransaction);
        ChannelReader<StoreWrite> queue = _queue.Reader;
        while (queue.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (writes.Count < _maxTransaction && queue.TryRead(out StoreWrite? write))
            {
                writes.Add(write);
            }

            if (writes.Count > 0)
            {
                Commit(writes);
                writes.Clear();
            }
        }

        _ended.SetResult();
    }

    private void Commit(List<StoreWrite> writes)
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
        catch (Exception error) when (error is IOException or SqliteException or StoreUnusableException)
        {
            LogFailed(_logger, error, writes.Count);
            RollBack();
            writes.ForEach(write => write.TrySetException(new IOException($"the store did not take the write: {error.Message}", error)));
            return;
        }

        StoreInstruments.Committed(Stopwatch.GetElapsedTime(start), writes.Count);
        foreach (StoreWrite write in writes)
        {
            write.TrySetResult();
        }
    }

    private void RollBack()
    {
        try
        {
            _statements.Rollback.Run();
        }
        catch (IOException error)
        {
            // SQLite has rolled back by itself (a full disk does that); then there is nothing left to do.
            LogRollback(_logger, error);
        }
    }

    [LoggerMessage(EventId = 3001, Level = LogLevel.Error, Message = "a transaction of {Writes} writes failed and was rolled back")]
    private static partial void LogFailed(ILogger logger, Exception error, int writes);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Debug, Message = "nothing to roll back")]
    private static partial void LogRollback(ILogger logger, Exception error);
}
