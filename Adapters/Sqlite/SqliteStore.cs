using System.Collections.Concurrent;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>
/// The store of the embedded mode: one SQLite file with a write-ahead log, one writer, readers beside it.
/// </summary>
/// <remarks>
/// A commit is not fsynced by itself (<c>synchronous=NORMAL</c>): the click log is what was promised to be on disk. A
/// power loss may take the last commits, and always all of those behind the first one lost; the chains' records are in
/// the same file, so they go back with the counts, and the log is counted again from there.
/// </remarks>
public sealed partial class SqliteStore : IBatchStore, IAsyncDisposable
{
    private readonly SqliteOptions _options;
    private readonly SqliteWriter _writer;
    private readonly WriteAheadLog _wal;
    private readonly ConcurrentBag<ReadSession> _idle = [];
    private readonly SemaphoreSlim _readers;
    private volatile bool _disposed;

    private SqliteStore(SqliteOptions options, SqliteWriter writer, WriteAheadLog wal)
    {
        _options = options;
        _writer = writer;
        _wal = wal;
        _readers = new SemaphoreSlim(options.Readers);
        Counts = new SqliteCountReader(this);
        Ledger = new SqliteLedger(this);
    }

    /// <summary>The read side.</summary>
    public ICountReader Counts { get; }

    /// <summary>What reconciliation reads and keeps.</summary>
    public ILedgerStore Ledger { get; }

    /// <summary>The file.</summary>
    public string Path => _options.Path;

    /// <summary>Opens the file, or makes it, and brings it to this version's schema.</summary>
    /// <exception cref="StoreUnusableException">It is damaged, in use, not writable, or of a later version.</exception>
    public static SqliteStore Open(SqliteOptions options, ILoggerFactory loggers) => Open(options, loggers, new StoreDisk());

    internal static SqliteStore Open(SqliteOptions options, ILoggerFactory loggers, StoreDisk disk)
    {
        ILogger logger = loggers.CreateLogger("ClickAggregator.Store");
        SqliteConnection? connection = null;
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(options.Path))!);
            connection = Connect(options, SqliteOpenMode.ReadWriteCreate);
            if (SQLitePCL.raw.sqlite3_db_readonly(connection.Handle, "main") != 0)
            {
                // SQLite is content with that where it finds nothing to change, and every write would fail later.
                throw new StoreUnusableException($"{options.Path} cannot be used: it is read-only. {StoreFaults.NotWritable}");
            }

            SqliteSchema.Run(connection, """
                PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA checkpoint_fullfsync = ON; PRAGMA cache_size = -32768;
                PRAGMA mmap_size = 0; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;
                """);
            SqliteSchema.Migrate(connection, options.Path, logger);

            // What a run before left in the log goes into the file, flushed, before anything rests on it.
            SqliteSchema.Run(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            var wal = new WriteAheadLog(options.Path, disk);
            return new SqliteStore(options, new SqliteWriter(connection, options, logger), wal);
        }
        catch (SqliteException error)
        {
            connection?.Dispose();
            string remedy = StoreFaults.Remedy(error.SqliteErrorCode) is { } found ? ". " + found : "";
            throw new StoreUnusableException($"{options.Path} cannot be used: {error.Message.TrimEnd('.')}{remedy}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            connection?.Dispose();
            string remedy = error is UnauthorizedAccessException ? " " + StoreFaults.NotWritable : "";
            throw new StoreUnusableException($"{options.Path} cannot be used: {error.Message}{remedy}", error);
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    public Task WriteAsync(BatchRows rows, CancellationToken cancellationToken) => _writer.WriteAsync(new BatchWrite(rows));

    public Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken)
    {
        TopList? list = Read(session =>
        {
            Statement get = session.Prepare("SELECT entries, floor FROM tops WHERE kind = ? AND slice = ? AND start = ? AND chain = ?")
                .Bind(1, (long)key.Kind).Bind(2, (long)key.Slice).Bind(3, key.Start).Bind(4, key.Chain);
            try
            {
                return get.Step() && TopCodec.TryRead(get.Bytes(0)) is { } entries ? new TopList(key, entries, get.Number(1)) : null;
            }
            finally
            {
                get.Reset();
            }
        });
        return Task.FromResult(list);
    }

    public Task<long?> ReadHourAsync(int hour, int chain, CancellationToken cancellationToken) => Task.FromResult(Read(session =>
    {
        Statement get = session.Prepare("SELECT upto FROM hours WHERE hour = ? AND chain = ?").Bind(1, hour).Bind(2, chain);
        try
        {
            return get.Step() ? get.Number(0) : (long?)null;
        }
        finally
        {
            get.Reset();
        }
    }));

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int chain, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<int, FinalMark>>(Read(session =>
        {
            var finals = new Dictionary<int, FinalMark>();
            Statement get = session.Prepare("SELECT upto, run, version FROM final_hours WHERE hour = ? AND chain = ?");
            foreach (int hour in hours)
            {
                try
                {
                    if (get.Bind(1, hour).Bind(2, chain).Step())
                    {
                        finals[hour] = new FinalMark(get.Number(0), get.Number(1), get.Number(2));
                    }
                }
                finally
                {
                    get.Reset();
                }
            }

            return finals;
        }));

    /// <summary>Copies the store into a new file, consistently, while it is in use.</summary>
    /// <param name="store">The store's file.</param>
    /// <param name="copy">The new file.</param>
    /// <param name="cancellationToken">Ends it before it begins.</param>
    public static Task BackupAsync(string store, string copy, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            using SqliteConnection from = Connect(new SqliteOptions { Path = store }, SqliteOpenMode.ReadOnly);
            using SqliteConnection to = Connect(new SqliteOptions { Path = copy }, SqliteOpenMode.ReadWriteCreate);
            from.BackupDatabase(to);
        },
        cancellationToken);

    /// <summary>Makes every commit so far durable: what was counted before it is called survives a power loss.</summary>
    /// <exception cref="IOException">It is not certain; then it never is again before the store was opened anew.</exception>
    public Task CheckpointAsync(CancellationToken cancellationToken) => Task.Run(
        async () =>
        {
            // 1. The promise.
            _wal.Flush();

            // 2. Keeps the log short: what no reader needs is copied into the file, beside the writer, by a connection of
            //    its own. Whether it did anything does not matter, and there is a next time.
            using (SqliteConnection connection = Connect(_options, SqliteOpenMode.ReadWrite))
            {
                SqliteSchema.Run(connection, "PRAGMA wal_checkpoint(PASSIVE);");
            }

            // 3. With readers at all times the log never starts over by itself.
            if (_wal.Length > _options.MaxWalBytes)
            {
                await _writer.RestartLogAsync();
            }
        },
        cancellationToken);

    /// <summary>Ends what waits, and closes the file; the writer's connection last, since only it can empty the log into it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _writer.StopAsync();
        for (int n = 0; n < _options.Readers; n++)
        {
            await _readers.WaitAsync();
        }

        while (_idle.TryTake(out ReadSession? session))
        {
            session.Dispose();
        }

        _wal.Dispose();
        await _writer.DisposeAsync();
    }

    /// <summary>How many writes wait.</summary>
    internal int QueuedWrites => _writer.Queued;

    internal Task WriteAsync(StoreWrite write) => _writer.WriteAsync(write);

    /// <summary>A short read, on the caller's thread: some 20 microseconds for a row.</summary>
    internal T Read<T>(Func<ReadSession, T> read)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ReadSession session = _idle.TryTake(out ReadSession? idle) ? idle : OpenSession();
        T result;
        try
        {
            result = read(session);
        }
        catch
        {
            // Whatever it was in the middle of goes with it: a view that stayed open would hold the log for ever.
            session.Dispose();
            throw;
        }

        _idle.Add(session);
        if (_disposed && _idle.TryTake(out ReadSession? late))
        {
            late.Dispose();
        }

        return result;
    }

    /// <summary>A longer read, on a pool thread, as one consistent view, cancellable.</summary>
    internal async Task<T> ReadAsync<T>(Func<ReadSession, T> read, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await _readers.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Read(session => InOneView(session, read, cancellationToken)), cancellationToken);
        }
        finally
        {
            _readers.Release();
        }
    }

    private static T InOneView<T>(ReadSession session, Func<ReadSession, T> read, CancellationToken cancellationToken)
    {
        T result;
        try
        {
            // Nobody interrupts the end of the view, nor what the session does next.
            using CancellationTokenRegistration registration = cancellationToken.Register(session.Interrupt);
            session.Begin();
            result = read(session);
        }
        catch (IOException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }

        session.End();
        return result;
    }

    private ReadSession OpenSession()
    {
        SqliteConnection connection = Connect(_options, SqliteOpenMode.ReadOnly);
        SqliteSchema.Run(connection, "PRAGMA cache_size = -8192; PRAGMA mmap_size = 0;");
        return new ReadSession(connection);
    }

    private static SqliteConnection Connect(SqliteOptions options, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = options.Path,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = (int)options.LockTimeout.TotalSeconds,
        }.ToString());
        try
        {
            connection.Open();
            _ = SQLitePCL.raw.sqlite3_busy_timeout(connection.Handle, (int)options.LockTimeout.TotalMilliseconds);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
