using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// The top lists as rankings read them. Those of days and hours that are over hardly ever change, and are large: they are remembered, and
/// each question first asks for their stamps. A list is one write under one stamp: with the same stamp it is the same list.
/// </summary>
internal sealed class TopTable(CassandraStore store)
{
    private const int StartsAtOnce = 8;

    private readonly Remembered<(TargetKind Kind, TopSlice Slice, int Start), StoredTop[]> _memory = new(store.Options.MaxTopEntriesInMemory);

    /// <summary>The lists of some hours or days.</summary>
    public async Task<List<TopList>> ReadAsync(TargetKind kind, TopSlice slice, int from, int to, CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        var found = new StoredTop[]?[to - from];
        var known = new List<int>();
        var parts = new List<IReadOnlyList<int>>();
        for (int start = from; start < to; start++)
        {
            found[start - from] = _memory.Find((kind, slice, start));
            if (found[start - from] is null)
            {
                parts.Add([start]);
            }
            else
            {
                known.Add(start);
            }
        }

        parts.InsertRange(0, known.Chunk(StartsAtOnce));
        await store.AtOnceAsync(
            parts,
            async (starts, token) =>
            {
                HashSet<int> changed = found[starts[0] - from] is null
                    ? [.. starts]
                    : await ChangedAsync(kind, slice, starts, start => found[start - from]!, token).ConfigureAwait(false);
                foreach (int start in changed)
                {
                    found[start - from] = await ReadAsync(kind, slice, start, now, token).ConfigureAwait(false);
                }
            },
            cancellationToken).ConfigureAwait(false);

        var lists = new List<TopList>();
        foreach (StoredTop top in found.SelectMany(tops => tops!))
        {
            if (await store.KeptAsync(top.List.Key, top.Written, now, cancellationToken).ConfigureAwait(false))
            {
                lists.Add(top.List);
            }
        }

        return lists;
    }

    private async Task<HashSet<int>> ChangedAsync(
        TargetKind kind, TopSlice slice, IReadOnlyList<int> starts, Func<int, StoredTop[]> known, CancellationToken cancellationToken)
    {
        var stamps = starts.ToDictionary(start => start, _ => new List<(int Chain, long Stamp)>());
        CqlCommand read = store.Statements.ReadTopStamps.Bind(TargetKinds.Name(kind), CassandraStore.NameOf(slice), starts.ToArray());
        await foreach (CqlRow row in store.Cql.QueryAsync(read, cancellationToken).ConfigureAwait(false))
        {
            stamps[row.Get<int>("start")].Add((row.Get<int>("chain"), row.GetOrDefault<long>("stamp")));
        }

        return [.. starts.Where(start => !known(start).Select(top => (top.List.Key.Chain, top.Stamp)).SequenceEqual(stamps[start]))];
    }

    private async Task<StoredTop[]> ReadAsync(TargetKind kind, TopSlice slice, int start, long now, CancellationToken cancellationToken)
    {
        var tops = new List<StoredTop>();
        CqlCommand read = store.Statements.ReadTops.Bind(TargetKinds.Name(kind), CassandraStore.NameOf(slice), start);
        await foreach (CqlRow row in store.Cql.QueryAsync(read, cancellationToken).ConfigureAwait(false))
        {
            var key = new TopKey(kind, slice, start, row.Get<int>("chain"));
            if (CassandraStore.ListOf(key, row) is { } list)
            {
                tops.Add(new StoredTop(list, row.Get<long>("stamp"), WindowTable.WrittenOf(row)));
            }
        }

        StoredTop[] stored = [.. tops];

        // One that is not over changes with each batch: to ask for its stamp first would only take longer.
        long end = slice == TopSlice.Hour ? (start + 1L) * Calendar.HourMilliseconds : (start + 1L) * Calendar.DayMilliseconds;
        if (end <= now)
        {
            _memory.Put((kind, slice, start), stored, 1 + stored.Sum(top => top.List.Entries.Count));
        }

        return stored;
    }

    /// <summary>A row of <c>tops</c>.</summary>
    private sealed record StoredTop(TopList List, long Stamp, long Written);
}
