using ClickAggregator.Grains.Storage;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>One connection that reads, with its prepared statements. Used by one caller at a time.</summary>
internal sealed class ReadSession : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, Statement> _statements = [];

    public ReadSession(SqliteConnection connection)
    {
        _connection = connection;
    }

    /// <summary>The statement, prepared once.</summary>
    public Statement Prepare(string sql)
    {
        if (!_statements.TryGetValue(sql, out Statement? statement))
        {
            _statements[sql] = statement = new Statement(_connection.Handle!, sql);
        }

        return statement;
    }

    /// <summary>Everything until <see cref="End"/> sees the store as it is now.</summary>
    public void Begin() => Prepare("BEGIN").Run();

    public void End() => Prepare("ROLLBACK").Run();

    /// <summary>Ends what is running, from another thread.</summary>
    public void Interrupt() => SQLitePCL.raw.sqlite3_interrupt(_connection.Handle);

    /// <summary>
    /// The window, and the clicks of its day in the same view; where there is no row, one with stamp 0. A window that
    /// answers "repeated" says its day too, and a missing one would take the target off the day's list.
    /// </summary>
    public WindowRow ReadWindow(WindowKey key)
    {
        Statement get = Prepare("""
            SELECT h.quarters, h.minutes, h.upto, h.stamp, h.set_aside, h.run, d.quarters,
                (SELECT value FROM facts WHERE name = 'forgotten_before'), h.at_final
            FROM (SELECT 1) LEFT JOIN clicks_by_hour h ON h.series = ?1 AND h.hour = ?2 AND h.chain = ?3
                LEFT JOIN clicks_by_day d ON d.series = ?1 AND d.day = ?4 AND d.chain = ?3
            """).Bind(1, key.Series).Bind(2, key.Hour).Bind(3, key.Chain).Bind(4, (long)Math.Floor(key.Hour / 24d));
        try
        {
            get.Step();
            WindowRow row = get.IsNull(3) ? new WindowRow() : RowOf(get, 0);
            Span<long> day = stackalloc long[96];
            CountCodec.TryRead(get.Bytes(6), day);
            row.DayClicks = CountCodec.Sum(day);
            row.ForgottenBefore = get.Number(7);
            row.AtFinal = CountsAtFinalCodec.Read(key, get.Bytes(8));
            return row;
        }
        finally
        {
            get.Reset();
        }
    }

    /// <summary>The row whose six columns start at <paramref name="first"/>.</summary>
    public static WindowRow RowOf(Statement at, int first)
    {
        var row = new WindowRow
        {
            Minutes = at.IsNull(first + 1) ? null : new long[60],
            Upto = at.Number(first + 2),
            Stamp = at.Number(first + 3),
            SetAside = at.Number(first + 4) != 0,
            Run = at.IsNull(first + 5) ? null : at.Text(first + 5),
        };
        if (!CountCodec.TryRead(at.Bytes(first), row.Quarters) || (row.Minutes is not null && !CountCodec.TryRead(at.Bytes(first + 1), row.Minutes)))
        {
            // Somebody changed the file: what it was is not known.
            row.Quarters = new long[4];
            row.Minutes = null;
            row.SetAside = true;
        }

        return row;
    }

    public void Dispose()
    {
        foreach (Statement statement in _statements.Values)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }
}
