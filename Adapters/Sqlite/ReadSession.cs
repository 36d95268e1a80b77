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

    public WindowRow? ReadWindow(WindowKey key)
    {
        Statement get = Prepare("SELECT quarters, minutes, upto, stamp, set_aside, run FROM clicks_by_hour WHERE series = ? AND hour = ? AND chain = ?")
            .Bind(1, key.Series).Bind(2, key.Hour).Bind(3, key.Chain);
        WindowRow? row;
        try
        {
            row = get.Step() ? RowOf(get, 0) : null;
        }
        finally
        {
            get.Reset();
        }

        if (row is not null)
        {
            // A window that answers "repeated" says its day too; a missing one would take the target off the day's list.
            row.DayClicks = ReadDay(key);
        }

        return row;
    }

    private long ReadDay(WindowKey key)
    {
        Statement get = Prepare("SELECT quarters FROM clicks_by_day WHERE series = ? AND day = ? AND chain = ?")
            .Bind(1, key.Series).Bind(2, (long)Math.Floor(key.Hour / 24d)).Bind(3, key.Chain);
        try
        {
            Span<long> quarters = stackalloc long[96];
            if (!get.Step())
            {
                return 0;
            }

            CountCodec.Read(get.Bytes(0), quarters);
            long sum = 0;
            foreach (long quarter in quarters)
            {
                sum += quarter;
            }

            return sum;
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
        CountCodec.Read(at.Bytes(first), row.Quarters);
        if (row.Minutes is not null)
        {
            CountCodec.Read(at.Bytes(first + 1), row.Minutes);
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
