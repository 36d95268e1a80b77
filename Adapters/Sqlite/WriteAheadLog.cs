using ClickAggregator.ClickLog.Files;
using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>
/// The store's write-ahead log as a file, to make it durable: a commit is in it, or it was copied into the database
/// file, which SQLite flushes before it lets the log start over. So a flush of this file covers every commit so far.
/// A checkpoint does not: it flushes nothing while a reader keeps it from copying, or while another is under way.
/// </summary>
/// <remarks>
/// Held open as long as the store: the system tells a write that failed once to everybody who has the file open by then,
/// also when a checkpoint of SQLite's own heard of it before and swallowed it. The database file must not be opened
/// beside SQLite: closing it again would drop the locks that SQLite holds on it.
/// </remarks>
internal sealed class WriteAheadLog : IDisposable
{
    private readonly StoreDisk _disk;
    private readonly SafeFileHandle _file;
    private readonly Lock _lock = new();
    private Exception? _failed;

    /// <param name="store">The database file; it was read through SQLite, so that its log is there.</param>
    /// <param name="disk">Flushes.</param>
    public WriteAheadLog(string store, StoreDisk disk)
    {
        _disk = disk;
        _file = File.OpenHandle(store + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(store))!);
    }

    /// <summary>Its length in bytes. It is written from its start again when all of it is copied.</summary>
    public long Length => RandomAccess.GetLength(_file);

    /// <summary>Makes every commit so far durable.</summary>
    /// <exception cref="IOException">The disk failed, now or before: what did not reach it then, no later flush writes.</exception>
    public void Flush()
    {
        lock (_lock)
        {
            if (_failed is not null)
            {
                throw new IOException($"the store could not be made durable ({_failed.Message}); it has to be started again, on a sound disk", _failed);
            }

            try
            {
                _disk.Flush(_file);
            }
            catch (IOException error)
            {
                _failed = error;
                throw;
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
