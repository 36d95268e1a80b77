using System.Collections.Concurrent;
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
    private readonly ConcurrentBag<ReadSession> _idle = [];
    private readonly SemaphoreSlim _readers;

    private SqliteStore(SqliteOptions options, SqliteWriter writer)
    {
        _options = options;
        _writer = writer;
        _readers = new SemaphoreSlim(options.Readers);
        Counts = new SqliteCountReader(this);
    }

    /// <summary>The read side.</summary>
    public ICountReader Counts { get; }

    /// <summary>The file.</summary>
    public string Path => _options.Path;

    /// <summary>Opens the file, or makes it, and brings it to this version's schema.</summary>
    /// <exception cref="StoreUnusableException">It is damaged, or of a later version.</exception>
    public static SqliteStore Open(SqliteOptions options, ILoggerFactory loggers)
    {
        ILogger logger = loggers.CreateLogger("ClickAggregator.Store");
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(options.Path))!);
        SqliteConnection connection = Connect(options.Path, SqliteOpenMode.ReadWriteCreate);
        try
        {
            connection.Open();
            SqliteSchema.Run(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY;");
            SqliteSchema.Migrate(connection, options.Path);
            return new SqliteStore(options, new SqliteWriter(connection, options.MaxTransaction, logger));
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw new StoreUnusableException(
                $"{options.Path} cannot be used: {error.Message.TrimEnd('.')}. If it is damaged, move it away: the log is counted again into a new one, or restore a backup", error);
        }
        catch
        {
            connection.Dispose();
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
                return get.Step() ? new TopList(key, TopCodec.Read(get.Bytes(0)), get.Number(1)) : null;
            }
            finally
            {
                get.Reset();
            }
        });
        return Task.FromResult(list);
    }

    /// <summary>Copies the store into a new file, consistently, while it is in use.</summary>
    /// <param name="store">The store's file.</param>
    /// <param name="copy">The new file.</param>
    /// <param name="cancellationToken">Ends it before it begins.</param>
    public static Task BackupAsync(string store, string copy, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            using SqliteConnection from = Connect(store, SqliteOpenMode.ReadOnly);
            using SqliteConnection to = Connect(copy, SqliteOpenMode.ReadWriteCreate);
            from.Open();
            to.Open();
            from.BackupDatabase(to);
        },
        cancellationToken);

    /// <summary>Makes every commit so far durable: what was counted before it is called survives a power loss.</summary>
    public Task CheckpointAsync(CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            // Through a connection of its own: the writer goes on, and a FULL checkpoint waits for no reader for long.
            using SqliteConnection connection = Connect(_options.Path, SqliteOpenMode.ReadWrite);
            connection.Open();
            SqliteSchema.Run(connection, "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(PASSIVE);");
        },
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        while (_idle.TryTake(out ReadSession? session))
        {
            session.Dispose();
        }

        _readers.Dispose();
    }

    internal Task WriteAsync(StoreWrite write) => _writer.WriteAsync(write);

    /// <summary>A short read, on the caller's thread: some 20 microseconds for a row.</summary>
    internal T Read<T>(Func<ReadSession, T> read)
    {
        ReadSession session = _idle.TryTake(out ReadSession? idle) ? idle : OpenSession();
        try
        {
            return read(session);
        }
        finally
        {
            _idle.Add(session);
        }
    }

    /// <summary>A longer read, on a pool thread, as one consistent view, cancellable.</summary>
    internal async Task<T> ReadAsync<T>(Func<ReadSession, T> read, CancellationToken cancellationToken)
    {
        await _readers.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(
                () => Read(session =>
                {
                    using CancellationTokenRegistration registration = cancellationToken.Register(session.Interrupt);
                    session.Begin();
                    try
                    {
                        return read(session);
                    }
                    catch (IOException) when (cancellationToken.IsCancellationRequested)
                    {
                        throw new OperationCanceledException(cancellationToken);
                    }
                    finally
                    {
                        session.End();
                    }
                }),
                cancellationToken);
        }
        finally
        {
            _readers.Release();
        }
    }

    private ReadSession OpenSession()
    {
        SqliteConnection connection = Connect(_options.Path, SqliteOpenMode.ReadOnly);
        connection.Open();
        SqliteSchema.Run(connection, "PRAGMA cache_size = -8192;");
        return new ReadSession(connection);
    }

    private static SqliteConnection Connect(string path, SqliteOpenMode mode) => new(new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = mode,
        Pooling = false,
        DefaultTimeout = 30,
    }.ToString());
}
