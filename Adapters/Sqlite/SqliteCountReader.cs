using System.Runtime.CompilerServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>Answers queries from the store's slices.</summary>
internal sealed class SqliteCountReader(SqliteStore store) : ICountReader
{
    private const int ScanRows = 5_000;

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
                            long[] quarters = new long[96];
                            bool isWhole = CountCodec.TryRead(get.Bytes(2), quarters);
                            rows.Add(new DayRow(one, (int)get.Number(0), (int)get.Number(1), quarters, !isWhole || get.Number(3) != 0));
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

    public async IAsyncEnumerable<(WindowKey Key, WindowRow Row)> ScanWindowsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (string Series, int Hour, int Chain) after = ("", int.MinValue, int.MinValue);
        while (true)
        {
            List<(WindowKey Key, WindowRow Row)> rows = await store.ReadAsync(session => Scan(session, after), cancellationToken);
            foreach ((WindowKey Key, WindowRow Row) row in rows)
            {
                yield return row;
            }

            if (rows.Count < ScanRows)
            {
                yield break;
            }

            after = (rows[^1].Key.Series, rows[^1].Key.Hour, rows[^1].Key.Chain);
        }
    }

    private static List<(WindowKey Key, WindowRow Row)> Scan(ReadSession session, (string Series, int Hour, int Chain) after)
    {
        Statement get = session.Prepare("""
            SELECT series, hour, chain, quarters, minutes, upto, stamp, set_aside, run FROM clicks_by_hour
            WHERE (series, hour, chain) > (?, ?, ?) ORDER BY series, hour, chain LIMIT ?
            """).Bind(1, after.Series).Bind(2, after.Hour).Bind(3, after.Chain).Bind(4, ScanRows);
        var rows = new List<(WindowKey, WindowRow)>();
        try
        {
            while (get.Step())
            {
                rows.Add((new WindowKey(get.Text(0), (int)get.Number(1), (int)get.Number(2)), ReadSession.RowOf(get, 3)));
            }
        }
        finally
        {
            get.Reset();
        }

        return rows;
    }
}
