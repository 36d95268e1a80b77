using System.Runtime.CompilerServices;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>Rows of several partitions, each of which has them in order, as one stream in that order: a page of each is in memory.</summary>
internal static class MergedRows
{
    public static async IAsyncEnumerable<T> ReadAsync<T>(
        CassandraStore store,
        IReadOnlyList<CqlCommand> partitions,
        Func<CqlRow, T> read,
        IComparer<T> inOrder,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var sources = new IAsyncEnumerator<CqlRow>[partitions.Count];
        try
        {
            var first = new T?[partitions.Count];
            bool[] any = new bool[partitions.Count];
            await store.AtOnceAsync(
                Enumerable.Range(0, partitions.Count),
                async (n, _) =>
                {
                    sources[n] = store.Cql.QueryAsync(partitions[n], cancellationToken).GetAsyncEnumerator(cancellationToken);
                    any[n] = await sources[n].MoveNextAsync().ConfigureAwait(false);
                    first[n] = any[n] ? read(sources[n].Current) : default;
                },
                cancellationToken).ConfigureAwait(false);
            var next = new PriorityQueue<IAsyncEnumerator<CqlRow>, T>(inOrder);
            for (int n = 0; n < sources.Length; n++)
            {
                if (any[n])
                {
                    next.Enqueue(sources[n], first[n]!);
                }
            }

            while (next.TryDequeue(out IAsyncEnumerator<CqlRow>? source, out T? row))
            {
                yield return row;
                if (await source.MoveNextAsync().ConfigureAwait(false))
                {
                    next.Enqueue(source, read(source.Current));
                }
            }
        }
        finally
        {
            foreach (IAsyncEnumerator<CqlRow>? source in sources)
            {
                if (source is not null)
                {
                    await source.DisposeAsync().ConfigureAwait(false);
                }
            }
        }
    }
}
