using SQLitePCL;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>What to do about SQLite's errors, by their code: the one place that decides.</summary>
internal static class StoreFaults
{
    public const string NotWritable = "The file and its folder have to be writable for the user that runs this program";

    private const string Damaged =
        "Stop, move the file away together with its -wal and -shm, and restore a backup, or start without: what the log still holds is counted again";

    /// <summary>What an operator can do; null where there is nothing to advise.</summary>
    public static string? Remedy(int code) => (code & 0xff) switch
    {
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => Damaged,
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "Another program uses the file: end it",
        raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_AUTH => NotWritable,
        raw.SQLITE_FULL => "The disk is full: make room, and it goes on",
        _ => null,
    };

    /// <summary>Whether the fault lies in what was to be written, not in the disk or the file: another write may do.</summary>
    public static bool IsOfTheWrite(Exception error) => error is not StoreFailedException failed
        || (failed.Code & 0xff) is raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH or raw.SQLITE_ERROR or raw.SQLITE_MISUSE;
}

/// <summary>SQLite did not do what it was asked for.</summary>
internal sealed class StoreFailedException(int code, string message) : IOException(message)
{
    /// <summary>SQLite's result code.</summary>
    public int Code => code;
}
