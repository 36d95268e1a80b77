using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <content>Whole tables: the ring of tokens in ranges, some of them read ahead.</content>
internal sealed partial class CassandraCountReader
{
    private const int ScansAtOnce = 4;

    public IAsyncEnumerable<(WindowKey Key, WindowRow Row)> ScanWindowsAsync(CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        return ScanAsync<(WindowKey Key, WindowRow Row)>(
            store.Statements.ScanWindows,
            async (page, rows, token) =>
            {
                ((string, int) Part, Dictionary<int, long> Written) day = (("", 0), []);
                foreach (CqlRow row in page)
                {
                    var key = new WindowKey(row.Get<string>("series"), row.Get<int>("hour"), row.Get<int>("chain"));
                    int of = row.Get<int>("day");
                    if (store.Keeping.IsOver(of, WindowTable.WrittenOf(row), now))
                    {
                        if (day.Part != (key.Series, of))
                        {
                            day = ((key.Series, of), await store.Series.WrittenAsync(key.Series, of, token).ConfigureAwait(false));
                        }

                        if (store.Keeping.IsOver(of, day.Written.GetValueOrDefault(key.Chain), now))
                        {
                            continue;
                        }
                    }

                    WindowRow window = store.Windows.RowOf(key.Hour, row, now);
                    window.IsAstray = of != Calendar.DayOf(key.Hour);
                    rows.Add((key, window));
                }
            },
            cancellationToken);
    }

    public IAsyncEnumerable<DayRow> ScanDaysAsync(CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        return ScanAsync<DayRow>(
            store.Statements.ScanDays,
            (page, rows, _) =>
            {
                foreach (CqlRow row in page)
                {
                    int day = row.Get<int>("day");
                    if (CountColumns.Day(row) is { } hours && !store.Keeping.IsOver(day, WindowTable.WrittenOf(row), now))
                    {
                        rows.Add(new DayRow(row.Get<string>("series"), day, row.Get<int>("chain"), hours.Quarters, hours.SetAside));
                    }
                }

                return ValueTask.CompletedTask;
            },
            cancellationToken);
    }

    public IAsyncEnumerable<TopList> ScanTopsAsync(CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        return ScanAsync<TopList>(
            store.Statements.ScanTops,
            async (page, rows, token) =>
            {
                foreach (CqlRow row in page)
                {
                    TopSlice slice = row.Get<string>("slice") == CassandraStore.NameOf(TopSlice.Hour) ? TopSlice.Hour : TopSlice.Day;
                    if (TargetKinds.TryParseName(row.Get<string>("kind"), out TargetKind kind)
                        && new TopKey(kind, slice, row.Get<int>("start"), row.Get<int>("chain")) is var key
                        && CassandraStore.ListOf(key, row) is { } list
                        && await store.KeptAsync(key, WindowTable.WrittenOf(row), now, token).ConfigureAwait(false))
                    {
                        rows.Add(list);
                    }
                }
            },
            cancellationToken);
    }

    private async IAsyncEnumerable<T> ScanAsync<T>(
        CqlStatement scan, Func<CqlPage, List<T>, CancellationToken, ValueTask> read, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var found = Channel.CreateBounded<List<T>>(ScansAtOnce);
        Task reading = ReadRangesAsync(scan, read, found.Writer, stop.Token);
        try
        {
            await foreach (List<T> rows in found.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (T row in rows)
                {
                    yield return row;
                }
            }
        }
        finally
        {
            // Whoever breaks off does not wait for what is read ahead; its faults came through the channel.
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadRangesAsync<T>(
        CqlStatement scan, Func<CqlPage, List<T>, CancellationToken, ValueTask> read, ChannelWriter<List<T>> to, CancellationToken cancellationToken)
    {
        try
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(0, TokenRange.Count),
                new ParallelOptions { MaxDegreeOfParallelism = ScansAtOnce, CancellationToken = cancellationToken },
                (range, token) => ReadRangeAsync(scan, read, range, to, token)).ConfigureAwait(false);
            to.Complete();
        }
        catch (Exception fault)
        {
            to.Complete(fault);
            throw;
        }
    }

    private async ValueTask ReadRangeAsync<T>(
        CqlStatement scan, Func<CqlPage, List<T>, CancellationToken, ValueTask> read, int range, ChannelWriter<List<T>> to, CancellationToken cancellationToken)
    {
        (long after, long last) = TokenRange.Of(range);
        ReadOnlyMemory<byte>? next = null;
        CqlPage page;
        do
        {
            page = await store.Cql.QueryPageAsync(scan.Bind(after, last), next, cancellationToken).ConfigureAwait(false);
            var rows = new List<T>(page.Count);
            await read(page, rows, cancellationToken).ConfigureAwait(false);
            await to.WriteAsync(rows, cancellationToken).ConfigureAwait(false);
            next = page.NextPage;
        }
        while (page.HasMorePages);
    }
}
