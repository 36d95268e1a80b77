using System.Runtime.CompilerServices;
using System.Text;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// Which series exist in a day. An entry is written before the first window of its series, day and chain; one that names a day
/// without windows (they are over, or the write behind it failed) is left out where days may be over.
/// </summary>
internal sealed class SeriesIndex(CassandraStore store)
{
    /// <summary>Partitions that the series of a kind are spread over; part of what is stored.</summary>
    public const int Buckets = 16;

    private const int ChecksAtOnce = 64;
    private const int FewSeries = 100;

    /// <summary>The kind that a series, or a prefix of series, is listed under: series with a bar have one of their own.</summary>
    public static string KindOf(string series)
    {
        int end = series.AsSpan().IndexOfAny(':', '|');
        string kind = end < 0 ? series : series[..end];
        return series.Contains('|', StringComparison.Ordinal) ? kind + "|" : kind;
    }

    /// <summary>FNV-1a over the name in UTF-8.</summary>
    public static sbyte BucketOf(string series)
    {
        uint hash = 2_166_136_261;
        foreach (byte each in Encoding.UTF8.GetBytes(series))
        {
            hash = (hash ^ each) * 16_777_619;
        }

        return (sbyte)((hash ^ (hash >> 16)) % Buckets);
    }

    public async Task PutAsync(DayKey key, long stamp, long written, long now, CancellationToken cancellationToken)
    {
        string kind = KindOf(key.Series);
        await store.Cql.ExecuteAsync(
            store.Statements.PutSeries.BindAll(new CqlValues().Add(key.Day).Add(kind).Add(BucketOf(key.Series)).Add(key.Series)
                .Add(key.Chain).Add(stamp).Add(store.Keeping.RowTtl(key.Day, written, now))),
            cancellationToken).ConfigureAwait(false);
        if (store.Keeping.DaysEnd && kind is "page" or "page|")
        {
            await store.Pages.NoteDayAsync(key, stamp, written, now, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether a series is named in a day of a chain.</summary>
    public async Task<bool> HasAsync(DayKey key, CancellationToken cancellationToken) => await store.Cql.QueryFirstAsync(
        store.Statements.GetSeries.Bind(key.Day, KindOf(key.Series), BucketOf(key.Series), key.Series, key.Chain), cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>
    /// The series of <c>[fromDay, toDay)</c> that start with the prefix, in order, behind another, so many at most; with a bar
    /// where the prefix has one, or where it is said.
    /// </summary>
    public async Task<IReadOnlyList<string>> ListAsync(
        string prefix, int fromDay, int toDay, string? after, int limit, long now, CancellationToken cancellationToken, bool withBars = false)
    {
        string kind = withBars ? KindOf(prefix + "|") : KindOf(prefix);

        // Each day has its series in order: the first of all days together are among the first of each.
        var found = new SortedSet<string>(SeriesOrder.Instance);
        for (int day = fromDay; day < toDay && limit > 0; day++)
        {
            bool mayBeOver = store.Keeping.HasEnded(day, now);
            int ofDay = 0;
            var unsure = new List<string>();
            await foreach (string series in WalkAsync(day, kind, prefix, after, limit, cancellationToken).ConfigureAwait(false))
            {
                if (ofDay == limit || (found.Count == limit && SeriesOrder.Instance.Compare(series, found.Max) >= 0))
                {
                    break;
                }

                if (!mayBeOver)
                {
                    ofDay++;
                    Add(series);
                    continue;
                }

                unsure.Add(series);
                if (unsure.Count == ChecksAtOnce)
                {
                    await CheckAsync().ConfigureAwait(false);
                }
            }

            await CheckAsync().ConfigureAwait(false);

            async Task CheckAsync()
            {
                bool[] lives = new bool[unsure.Count];
                await store.AtOnceAsync(
                    Enumerable.Range(0, lives.Length),
                    async (n, token) => lives[n] = await LivesAsync(unsure[n], day, now, token).ConfigureAwait(false),
                    cancellationToken).ConfigureAwait(false);
                foreach (string series in unsure.Where((_, n) => lives[n]))
                {
                    ofDay++;
                    Add(series);
                }

                unsure.Clear();
            }
        }

        return [.. found];

        void Add(string series)
        {
            found.Add(series);
            if (found.Count > limit)
            {
                found.Remove(found.Max!);
            }
        }
    }

    /// <summary>Whether any series of a kind is left in a day.</summary>
    public async Task<bool> HasAnyAsync(string kind, int day, long now, CancellationToken cancellationToken) =>
        (await ListAsync(kind + ":", day, day + 1, null, 1, now, cancellationToken).ConfigureAwait(false)).Count > 0
        || (await ListAsync(kind + ":", day, day + 1, null, 1, now, cancellationToken, withBars: true).ConfigureAwait(false)).Count > 0;

    /// <summary>Whether a series is left in a day.</summary>
    public async Task<bool> LivesAsync(string series, int day, long now, CancellationToken cancellationToken)
    {
        Dictionary<int, long> written = await WrittenAsync(series, day, cancellationToken).ConfigureAwait(false);
        return written.Values.Any(when => !store.Keeping.IsOver(day, when, now));
    }

    /// <summary>When the day of a series was last written, by chain.</summary>
    public async Task<Dictionary<int, long>> WrittenAsync(string series, int day, CancellationToken cancellationToken)
    {
        var written = new Dictionary<int, long>();
        CqlCommand read = store.Statements.ReadWritten.Bind(series, Calendar.YearOf(day), day, day + 1);
        await foreach (CqlRow row in store.Cql.QueryAsync(read, cancellationToken).ConfigureAwait(false))
        {
            written[row.Get<int>("chain")] = WindowTable.WrittenOf(row);
        }

        return written;
    }

    /// <summary>The entries of a day that start with a prefix, merged from all buckets, each series once.</summary>
    private async IAsyncEnumerable<string> WalkAsync(
        int day, string kind, string prefix, string? after, int limit, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string from = after is not null && SeriesOrder.Instance.Compare(after, prefix) >= 0 ? after : prefix;
        CqlStatement statement = limit < FewSeries ? store.Statements.ListFewSeries : store.Statements.ListSeries;
        var sources = new IAsyncEnumerator<CqlRow>[Buckets];
        try
        {
            var order = new PriorityQueue<IAsyncEnumerator<CqlRow>, string>(SeriesOrder.Instance);
            Task<bool>[] first = new Task<bool>[Buckets];
            for (int bucket = 0; bucket < Buckets; bucket++)
            {
                sources[bucket] = store.Cql.QueryAsync(statement.Bind(day, kind, (sbyte)bucket, from), cancellationToken).GetAsyncEnumerator(cancellationToken);
                first[bucket] = sources[bucket].MoveNextAsync().AsTask();
            }

            bool[] any = await Task.WhenAll(first).ConfigureAwait(false);
            for (int bucket = 0; bucket < Buckets; bucket++)
            {
                if (any[bucket])
                {
                    order.Enqueue(sources[bucket], sources[bucket].Current.Get<string>(0));
                }
            }

            string? last = null;
            while (order.TryDequeue(out IAsyncEnumerator<CqlRow>? source, out string? series) && series.StartsWith(prefix, StringComparison.Ordinal))
            {
                if (series != last && series != after)
                {
                    yield return series;
                }

                last = series;
                if (await source.MoveNextAsync().ConfigureAwait(false))
                {
                    order.Enqueue(source, source.Current.Get<string>(0));
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
