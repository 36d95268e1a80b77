using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>The tables, version by version. A version that was released is never changed, only followed.</summary>
internal static partial class SqliteSchema
{
    private static readonly string[] Versions =
    [
        """
        CREATE TABLE grain_state (
            grain TEXT NOT NULL, name TEXT NOT NULL, payload BLOB NOT NULL, etag INTEGER NOT NULL,
            PRIMARY KEY (grain, name)) WITHOUT ROWID;
        CREATE TABLE clicks_by_hour (
            series TEXT NOT NULL, hour INTEGER NOT NULL, chain INTEGER NOT NULL,
            quarters BLOB NOT NULL, minutes BLOB, upto INTEGER NOT NULL, stamp INTEGER NOT NULL,
            set_aside INTEGER NOT NULL, run TEXT,
            PRIMARY KEY (series, hour, chain)) WITHOUT ROWID;
        CREATE TABLE clicks_by_day (
            series TEXT NOT NULL, day INTEGER NOT NULL, chain INTEGER NOT NULL,
            quarters BLOB NOT NULL, stamp INTEGER NOT NULL, set_aside INTEGER NOT NULL,
            PRIMARY KEY (series, day, chain)) WITHOUT ROWID;
        CREATE TABLE series_by_day (
            day INTEGER NOT NULL, series TEXT NOT NULL,
            PRIMARY KEY (day, series)) WITHOUT ROWID;
        CREATE TABLE hours (
            hour INTEGER NOT NULL, chain INTEGER NOT NULL, upto INTEGER NOT NULL, stamp INTEGER NOT NULL,
            PRIMARY KEY (hour, chain)) WITHOUT ROWID;
        CREATE TABLE tops (
            kind INTEGER NOT NULL, slice INTEGER NOT NULL, start INTEGER NOT NULL, chain INTEGER NOT NULL,
            entries BLOB NOT NULL, floor INTEGER NOT NULL, stamp INTEGER NOT NULL,
            PRIMARY KEY (kind, slice, start, chain)) WITHOUT ROWID;
        CREATE TABLE targets (
            target TEXT NOT NULL PRIMARY KEY, url TEXT NOT NULL, first_seen INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        """,

        // Reconciliation. Whatever was counted before there was any is open until a run covers it.
        """
        CREATE TABLE open_hours (
            hour INTEGER NOT NULL, chain INTEGER NOT NULL, upto INTEGER NOT NULL, stamp INTEGER NOT NULL, reopened_at INTEGER NOT NULL,
            PRIMARY KEY (hour, chain)) WITHOUT ROWID;
        INSERT INTO open_hours (hour, chain, upto, stamp, reopened_at) SELECT hour, chain, upto, stamp, 0 FROM hours;
        CREATE TABLE final_hours (
            hour INTEGER NOT NULL, chain INTEGER NOT NULL, upto INTEGER NOT NULL, run INTEGER NOT NULL,
            invalidations INTEGER NOT NULL, version INTEGER NOT NULL, versions TEXT NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY (hour, chain)) WITHOUT ROWID;
        CREATE TABLE corrections (
            hour INTEGER NOT NULL, chain INTEGER NOT NULL, series TEXT NOT NULL, run INTEGER NOT NULL,
            cause INTEGER NOT NULL, state INTEGER NOT NULL, before BLOB NOT NULL, after BLOB NOT NULL,
            upto INTEGER NOT NULL, at INTEGER NOT NULL, detail TEXT,
            PRIMARY KEY (hour, chain, series, run)) WITHOUT ROWID;
        CREATE INDEX corrections_by_series ON corrections (series, hour, chain, run);
        CREATE TABLE history (
            series TEXT NOT NULL, hour INTEGER NOT NULL, chain INTEGER NOT NULL, ordinal INTEGER NOT NULL,
            minutes BLOB, quarters BLOB NOT NULL,
            PRIMARY KEY (series, hour, chain, ordinal)) WITHOUT ROWID;
        CREATE INDEX history_by_hour ON history (hour);
        """,

        // What the history has to hold. Rows that were kept before have no mark.
        """
        CREATE TABLE history_marks (
            series TEXT NOT NULL, hour INTEGER NOT NULL, chain INTEGER NOT NULL, ordinal INTEGER NOT NULL, sum INTEGER NOT NULL,
            PRIMARY KEY (series, hour, chain, ordinal)) WITHOUT ROWID;
        CREATE INDEX history_marks_by_hour ON history_marks (hour);
        """,

        // What is stored of an hour, also where no name in series_by_day leads to it: somebody else wrote it then.
        """
        CREATE INDEX windows_by_hour ON clicks_by_hour (hour, chain, series);
        CREATE INDEX slices_by_day ON clicks_by_day (day, chain, series);
        """,

        // What a window had at a finalisation, before clicks that came late.
        """
        ALTER TABLE clicks_by_hour ADD COLUMN at_final BLOB;
        """,
    ];

    /// <summary>The version that this build writes.</summary>
    public static int Current => Versions.Length;

    /// <summary>Brings an older file to this version, each step in a transaction of its own. Of a file that is there already the log tells it.</summary>
    /// <exception cref="StoreUnusableException">The file is of a later version, or no store.</exception>
    public static void Migrate(SqliteConnection connection, string path, ILogger logger) => Migrate(connection, path, Versions, logger);

    /// <summary>The same with versions of the caller's choice.</summary>
    internal static void Migrate(SqliteConnection connection, string path, IReadOnlyList<string> versions, ILogger? logger = null)
    {
        logger ??= NullLogger.Instance;
        long version = Number(connection, "PRAGMA user_version");
        if (version > versions.Count)
        {
            throw new StoreUnusableException(
                $"{path} has schema version {version}, and this build knows {versions.Count}: it was written by a later version. Run that one, or restore a backup");
        }

        if (version < 0 || (version == 0 && Number(connection, "SELECT count(*) FROM sqlite_schema") > 0))
        {
            throw new StoreUnusableException($"{path} is a database of another program: name another file, or move it away");
        }

        bool isNew = version == 0;
        for (; version < versions.Count; version++)
        {
            long began = Stopwatch.GetTimestamp();
            if (!isNew)
            {
                LogMigrates(logger, path, version + 1);
            }

            using SqliteTransaction transaction = connection.BeginTransaction();
            Run(connection, versions[(int)version] + string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {version + 1};"));
            transaction.Commit();
            if (!isNew)
            {
                double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
                LogMigrated(logger, path, version + 1, seconds);
            }
        }
    }

    public static void Run(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this folder, no input
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static long Number(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this folder, no input
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    [LoggerMessage(EventId = 3004, Level = LogLevel.Information, Message = "{Path} is brought to version {Version} of its tables; what is new in it is built from all that is stored, which takes minutes where that is many GB")]
    private static partial void LogMigrates(ILogger logger, string path, long version);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Information, Message = "{Path} has version {Version} of its tables now; that took {Seconds:0.0} s")]
    private static partial void LogMigrated(ILogger logger, string path, long version, double seconds);
}
