using System.Runtime.CompilerServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>Answers queries from the store's slices.</summary>
internal sealed class SqliteCountReader(SqliteStore store) : ICountReader
{
    private const int ScanRows = 5_000;

    /// <summary>A list has up to 1,000 entries.</summary>
    private const int ScanLists = 100;

    public Task<IReadOnlyList<HourRow>> ReadHoursAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, bool withMinutes, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<HourRow>>(
            session =>
            {
                var rows = new List<HourRow>();
                Statement get = session.Prepare(
                    "SELECT hour, chain, quarters, minutes, set_aside FROM clicks_by_hour WHERE series = ? AND hour >= ? AND hour < ?");
                foreach (string one in series)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    get.Bind(1, one).Bind(2, fromHour).Bind(3, toHour);
                    try
                    {
                        while (get.Step())
                        {
                            long[] quarters = new long[4];
                            long[]? minutes = withMinutes && !get.IsNull(3) ? new long[60] : null;
                            bool isWhole = CountCodec.TryRead(get.Bytes(2), quarters) & (minutes is null || CountCodec.TryRead(get.Bytes(3), minutes));
                            rows.Add(new HourRow(one, (int)get.Number(0), (int)get.Number(1), quarters, minutes, !isWhole || get.Number(4) != 0));
                        }
                    }
                    finally
                    {
                        get.Reset();
                    }
                }

                return rows;
            },
            cancellationToken);

    public Task<IReadOnlyList<StandingRow>> ReadStandingAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<StandingRow>>(
            session =>
            {
                var rows = new List<StandingRow>();
                Statement get = session.Prepare(
                    "SELECT hour, chain, quarters, minutes, upto, stamp, set_aside, run, at_final FROM clicks_by_hour WHERE series = ? AND hour >= ? AND hour < ?");
                foreach (string one in series)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    get.Bind(1, one).Bind(2, fromHour).Bind(3, toHour);
                    try
                    {
                        while (get.Step())
                        {
                            var key = new WindowKey(one, (int)get.Number(0), (int)get.Number(1));
                            WindowRow row = ReadSession.RowOf(get, 2);
                            rows.Add(new StandingRow(
                                new HourRow(one, key.Hour, key.Chain, row.Quarters, row.Minutes, row.SetAside), row.Upto, row.Run, CountsAtFinalCodec.Read(key, get.Bytes(8))));
                        }
                    }
                    finally
                    {
                        get.Reset();
                    }
                }

                return rows;
            },
            cancellationToken);

    public Task<IReadOnlyList<DayRow>> ReadDaysAsync(
        IReadOnlyList<string> series, int fromDay, int toDay, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<DayRow>>(
            session =>
            {
                var rows = new List<DayRow>();
                Statement get = session.Prepare(
                    "SELECT day, chain, quarters, set_aside FROM clicks_by_day WHERE series = ? AND day >= ? AND day < ?");
                foreach (string one in series)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    get.Bind(1, one).Bind(2, fromDay).Bind(3, toDay);
                    try
                    {
                        while (get.Step())
                        {
                            rows.Add(DayOf(get, one, 0));
                        }
                    }
                    finally
                    {
                        get.Reset();
                    }
                }

                return rows;
            },
            cancellationToken);

    public Task<IReadOnlyList<TopList>> ReadTopsAsync(
        TargetKind kind, TopSlice slice, int from, int to, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<TopList>>(
            session =>
            {
                var lists = new List<TopList>();
                Statement get = session.Prepare(
                    "SELECT start, chain, entries, floor FROM tops WHERE kind = ? AND slice = ? AND start >= ? AND start < ?")
                    .Bind(1, (long)kind).Bind(2, (long)slice).Bind(3, from).Bind(4, to);
                try
                {
                    while (get.Step())
                    {
                        if (TopCodec.TryRead(get.Bytes(2)) is { } entries)
                        {
                            lists.Add(new TopList(new TopKey(kind, slice, (int)get.Number(0), (int)get.Number(1)), entries, get.Number(3)));
                        }
                    }
                }
                finally
                {
                    get.Reset();
                }

                return lists;
            },
            cancellationToken);

    public Task<IReadOnlyList<string>> ListSeriesAsync(
        string prefix, int fromHour, int toHour, string? after, int limit, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<string>>(
            session =>
            {
                // Each day has its series in order: the first of all days together are among the first of each.
                var found = new SortedSet<string>(StringComparer.Ordinal);
                bool plain = !prefix.Contains('|', StringComparison.Ordinal);
                string beyond = prefix[..^1] + (char)(prefix[^1] + 1);
                bool goesOn = after is not null && string.CompareOrdinal(after, prefix) >= 0;
                int fromDay = (int)Math.Floor(fromHour / 24d);
                int toDay = (int)Math.Ceiling(toHour / 24d);
                Statement get = session.Prepare("""
                    SELECT series FROM series_by_day WHERE day = ?1 AND series >= ?2 AND series < ?3 AND series <> ?4
                        AND (?5 = 0 OR instr(series, '|') = 0)
                    ORDER BY series LIMIT ?6
                    """);
                for (int day = fromDay; day < toDay && limit > 0; day++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    string until = found.Count >= limit ? found.Max! : beyond;
                    get.Bind(1, day).Bind(2, goesOn ? after : prefix).Bind(3, until).Bind(4, goesOn ? after : "").Bind(5, plain ? 1 : 0).Bind(6, limit);
                    try
                    {
                        while (get.Step())
                        {
                            found.Add(get.Text(0));
                        }
                    }
                    finally
                    {
                        get.Reset();
                    }

                    while (found.Count > limit)
                    {
                        found.Remove(found.Max!);
                    }
                }

                return [.. found];
            },
            cancellationToken);

    public Task<IReadOnlyDictionary<string, string>> ReadPageUrlsAsync(IReadOnlyList<string> pageIds, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyDictionary<string, string>>(
            session =>
            {
                var urls = new Dictionary<string, string>(StringComparer.Ordinal);
                Statement get = session.Prepare("SELECT url FROM targets WHERE target = ?");
                foreach (string id in pageIds)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    get.Bind(1, "page:" + id);
                    try
                    {
                        if (get.Step())
                        {
                            urls[id] = get.Text(0);
                        }
                    }
                    finally
                    {
                        get.Reset();
                    }
                }

                return urls;
            },
            cancellationToken);

    public Task<int?> ReadMinutesFloorAsync(CancellationToken cancellationToken) => Task.FromResult(store.Read<int?>(session =>
    {
        Statement get = session.Prepare("SELECT value FROM facts WHERE name = 'minutes_floor'");
        try
        {
            return get.Step() ? (int)get.Number(0) : null;
        }
        finally
        {
            get.Reset();
        }
    }));

    public IAsyncEnumerable<(WindowKey Key, WindowRow Row)> ScanWindowsAsync(CancellationToken cancellationToken) => ScanAsync(
        """
        SELECT series, hour, chain, quarters, minutes, upto, stamp, set_aside, run FROM clicks_by_hour
        WHERE (series, hour, chain) > (?, ?, ?) ORDER BY series, hour, chain LIMIT ?
        """,
        (Series: "", Hour: long.MinValue, Chain: long.MinValue),
        static (get, after) => get.Bind(1, after.Series).Bind(2, after.Hour).Bind(3, after.Chain).Bind(4, ScanRows),
        static get => (Series: get.Text(0), Hour: get.Number(1), Chain: get.Number(2)),
        static get => (new WindowKey(get.Text(0), (int)get.Number(1), (int)get.Number(2)), ReadSession.RowOf(get, 3)),
        cancellationToken);

    public IAsyncEnumerable<DayRow> ScanDaysAsync(CancellationToken cancellationToken) => ScanAsync(
        """
        SELECT series, day, chain, quarters, set_aside FROM clicks_by_day
        WHERE (series, day, chain) > (?, ?, ?) ORDER BY series, day, chain LIMIT ?
        """,
        (Series: "", Day: long.MinValue, Chain: long.MinValue),
        static (get, after) => get.Bind(1, after.Series).Bind(2, after.Day).Bind(3, after.Chain).Bind(4, ScanRows),
        static get => (Series: get.Text(0), Day: get.Number(1), Chain: get.Number(2)),
        static get => DayOf(get, get.Text(0), 1),
        cancellationToken);

    public async IAsyncEnumerable<TopList> ScanTopsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IAsyncEnumerable<TopList?> lists = ScanAsync(
            """
            SELECT kind, slice, start, chain, entries, floor FROM tops
            WHERE (kind, slice, start, chain) > (?, ?, ?, ?) ORDER BY kind, slice, start, chain LIMIT ?
            """,
            (Kind: long.MinValue, Slice: long.MinValue, Start: long.MinValue, Chain: long.MinValue),
            static (get, after) => get.Bind(1, after.Kind).Bind(2, after.Slice).Bind(3, after.Start).Bind(4, after.Chain).Bind(5, ScanLists),
            static get => (Kind: get.Number(0), Slice: get.Number(1), Start: get.Number(2), Chain: get.Number(3)),
            static get => TopCodec.TryRead(get.Bytes(4)) is { } entries
                ? new TopList(new TopKey((TargetKind)get.Number(0), (TopSlice)get.Number(1), (int)get.Number(2), (int)get.Number(3)), entries, get.Number(5))
                : null,
            cancellationToken);
        await foreach (TopList? list in lists)
        {
            if (list is not null)
            {
                yield return list;
            }
        }
    }

    /// <summary>A whole table in the order of its key, some rows in one view.</summary>
    private async IAsyncEnumerable<TRow> ScanAsync<TKey, TRow>(
        string sql,
        TKey after,
        Func<Statement, TKey, Statement> bind,
        Func<Statement, TKey> keyOf,
        Func<Statement, TRow> read,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool any = true;
        while (any)
        {
            TKey from = after;
            (List<TRow> rows, after) = await store.ReadAsync(
                session =>
                {
                    var some = new List<TRow>();
                    TKey last = from;
                    Statement get = bind(session.Prepare(sql), from);
                    try
                    {
                        while (get.Step())
                        {
                            last = keyOf(get);
                            some.Add(read(get));
                        }
                    }
                    finally
                    {
                        get.Reset();
                    }

                    return (some, last);
                },
                cancellationToken);
            foreach (TRow row in rows)
            {
                yield return row;
            }

            any = rows.Count > 0;
        }
    }

    /// <summary>The day slice whose day is in column <paramref name="first"/>.</summary>
    private static DayRow DayOf(Statement at, string series, int first)
    {
        long[] quarters = new long[96];
        bool isWhole = CountCodec.TryRead(at.Bytes(first + 2), quarters);
        return new DayRow(series, (int)at.Number(first), (int)at.Number(first + 1), quarters, !isWhole || at.Number(first + 3) != 0);
    }
}
