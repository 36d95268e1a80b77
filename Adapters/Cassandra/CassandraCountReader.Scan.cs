using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <content>All windows: the ring of tokens in ranges, some of them read ahead.</content>
internal sealed partial class CassandraCountReader
{
    private const int ScanRanges = 256;
    private const int ScansAtOnce = 4;

    public async IAsyncEnumerable<(WindowKey Key, WindowRow Row)> ScanWindowsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var found = Channel.CreateBounded<List<(WindowKey Key, WindowRow Row)>>(ScansAtOnce);
        Task reading = ReadRangesAsync(found.Writer, stop.Token);
        try
        {
            await foreach (List<(WindowKey Key, WindowRow Row)> rows in found.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach ((WindowKey Key, WindowRow Row) row in rows)
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

    private async Task ReadRangesAsync(ChannelWriter<List<(WindowKey Key, WindowRow Row)>> to, CancellationToken cancellationToken)
    {
        try
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(0, ScanRanges),
                new ParallelOptions { MaxDegreeOfParallelism = ScansAtOnce, CancellationToken = cancellationToken },
                (range, token) => ReadRangeAsync(range, to, token)).ConfigureAwait(false);
            to.Complete();
        }
        catch (Exception fault)
        {
            to.Complete(fault);
            throw;
        }
    }

    private async ValueTask ReadRangeAsync(int range, ChannelWriter<List<(WindowKey Key, WindowRow Row)>> to, CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        const long step = long.MaxValue / (ScanRanges / 2);
        long after = long.MinValue + (range * step);
        long last = range == ScanRanges - 1 ? long.MaxValue : after + step;
        ReadOnlyMemory<byte>? next = null;
        ((string, int) Part, Dictionary<int, long> Written) day = (("", 0), []);
        CqlPage page;
        do
        {
            page = await store.Cql.QueryPageAsync(store.Statements.Scan.Bind(after, last), next, cancellationToken).ConfigureAwait(false);
            var rows = new List<(WindowKey, WindowRow)>(page.Count);
            foreach (CqlRow row in page)
            {
                var key = new WindowKey(row.Get<string>("series"), row.Get<int>("hour"), row.Get<int>("chain"));
                int of = row.Get<int>("day");
                if (store.Keeping.IsOver(of, WindowTable.WrittenOf(row), now))
                {
                    if (day.Part != (key.Series, of))
                    {
                        day = ((key.Series, of), await store.Series.WrittenAsync(key.Series, of, cancellationToken).ConfigureAwait(false));
                    }

                    if (store.Keeping.IsOver(of, day.Written.GetValueOrDefault(key.Chain), now))
                    {
                        continue;
                    }
                }

                rows.Add((key, store.Windows.RowOf(key.Hour, row, now)));
            }

            await to.WriteAsync(rows, cancellationToken).ConfigureAwait(false);
            next = page.NextPage;
        }
        while (page.HasMorePages);
    }
}
