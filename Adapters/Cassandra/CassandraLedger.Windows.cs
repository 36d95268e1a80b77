using System.Runtime.CompilerServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <content>What is stored of an hour: the index of its day names the series, and their rows are read some at a time.</content>
internal sealed partial class CassandraLedger
{
    private const int WindowsAtOnce = 500;

    private static readonly string[] s_kinds = [.. from kind in (string[])["total", "kind", .. TargetKinds.All.Select(TargetKinds.Name), "campaign"]
        from bar in (string[])["", "|"] select kind + bar];

    public async IAsyncEnumerable<StoredWindow> ReadWindowsAsync(int hour, int chain, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        int day = Calendar.DayOf(hour);
        CqlCommand[] partitions = [.. from kind in s_kinds from bucket in Enumerable.Range(0, SeriesIndex.Buckets)
            select Statements.ListSeriesOfChain.Bind(day, kind, (sbyte)bucket, chain)];
        var some = new List<string>(WindowsAtOnce);
        await foreach (string series in MergedRows.ReadAsync(
            store, partitions, static row => row.Get<string>(0), SeriesOrder.Instance, cancellationToken).ConfigureAwait(false))
        {
            some.Add(series);
            if (some.Count == WindowsAtOnce)
            {
                foreach (StoredWindow window in await ReadAsync(some, hour, chain, now, cancellationToken).ConfigureAwait(false))
                {
                    yield return window;
                }

                some.Clear();
            }
        }

        foreach (StoredWindow window in await ReadAsync(some, hour, chain, now, cancellationToken).ConfigureAwait(false))
        {
            yield return window;
        }
    }

    public async Task<IReadOnlyList<StoredWindow>> FindWindowsAsync(IReadOnlyList<string> series, int hour, int chain, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await ReadAsync(series, hour, chain, store.Keeping.Now(), cancellationToken).ConfigureAwait(false);
    }

    private Task<List<StoredWindow>> ReadAsync(IReadOnlyList<string> some, int hour, int chain, long now, CancellationToken cancellationToken) =>
        store.GatherAsync<string, StoredWindow>(
            some,
            async (series, found, token) =>
            {
                var key = new WindowKey(series, hour, chain);
                (WindowRow row, DayHours? day) = await store.Windows.PeekAsync(key, now, token).ConfigureAwait(false);
                long[]? quarters = day?.Quarters.AsSpan((hour - (Calendar.DayOf(hour) * 24)) * 4, 4).ToArray();
                if (row.Stamp != 0 || (quarters is not null && quarters.AsSpan().ContainsAnyExcept(0)))
                {
                    found.Add(new StoredWindow(key, row, quarters));
                }
            },
            cancellationToken);
}
