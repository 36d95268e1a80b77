using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// The top lists as rankings read them. They are large, and those of days and hours that are over hardly ever change: they are remembered, and
/// each question first asks for their stamps, unless the marks of their days say already that nothing came late. A list is one write under
/// one stamp: with the same stamp it is the same list.
/// </summary>
internal sealed class TopTable(CassandraStore store)
{
    private const int StartsAtOnce = 8;

    private readonly Remembered<(TargetKind Kind, TopSlice Slice, int Start), Known> _memory = new(store.Options.MaxTopEntriesInMemory);

    /// <summary>An id is one string in all lists that were over when they were read: less memory, and a merge of thousands of entries finds it in the processor's cache.</summary>
    private readonly Remembered<string, string> _ids = new(store.Options.MaxTopEntriesInMemory);

    /// <summary>The lists of some hours or days.</summary>
    /// <param name="marks">Of their days, or null; waited for only where they may say something.</param>
    public async Task<List<TopList>> ReadAsync(
        TargetKind kind, TopSlice slice, int from, int to, Task<DayMarks?> marks, CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        int late = from;
        while (late < to && CountedDays.MayBeOfLate(CassandraStore.DayOf(slice, late), now))
        {
            late++;
        }

        Task<StoredTop[][]> young = ReadAsync(kind, slice, late, to, null, now, cancellationToken);
        StoredTop[][] old = late == from ? [] : await ReadAsync(kind, slice, from, late, await marks.ConfigureAwait(false), now, cancellationToken).ConfigureAwait(false);
        var lists = new List<TopList>();
        foreach (StoredTop top in old.Concat(await young.ConfigureAwait(false)).SelectMany(tops => tops))
        {
            if (await store.KeptAsync(top.List.Key, top.Written, now, cancellationToken).ConfigureAwait(false))
            {
                lists.Add(top.List);
            }
        }

        return lists;
    }

    private async Task<StoredTop[][]> ReadAsync(
        TargetKind kind, TopSlice slice, int from, int to, DayMarks? marks, long now, CancellationToken cancellationToken)
    {
        var found = new StoredTop[]?[to - from];
        var known = new List<int>();
        var parts = new List<IReadOnlyList<int>>();
        for (int start = from; start < to; start++)
        {
            Known? remembered = _memory.Find((kind, slice, start));
            found[start - from] = remembered?.Tops;
            if (remembered is null)
            {
                parts.Add([start]);
            }
            else if (!IsSame(remembered, MarkOf(slice, start, marks), now))
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
                foreach (int start in starts)
                {
                    StoredTop[] stored = changed.Contains(start)
                        ? await ReadAsync(kind, slice, start, isOver: EndOf(slice, start) <= now, token).ConfigureAwait(false)
                        : found[start - from]!;
                    found[start - from] = stored;
                    _memory.Put((kind, slice, start), new Known(stored, MarkOf(slice, start, marks), now), 1 + stored.Sum(top => top.List.Entries.Count));
                }
            },
            cancellationToken).ConfigureAwait(false);
        return found!;
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

    private async Task<StoredTop[]> ReadAsync(TargetKind kind, TopSlice slice, int start, bool isOver, CancellationToken cancellationToken)
    {
        var tops = new List<StoredTop>();
        CqlCommand read = store.Statements.ReadTops.Bind(TargetKinds.Name(kind), CassandraStore.NameOf(slice), start);
        await foreach (CqlRow row in store.Cql.QueryAsync(read, cancellationToken).ConfigureAwait(false))
        {
            var key = new TopKey(kind, slice, start, row.Get<int>("chain"));
            if (CassandraStore.ListOf(key, row) is { } list)
            {
                tops.Add(new StoredTop(isOver ? Shared(list) : list, row.Get<long>("stamp"), WindowTable.WrittenOf(row)));
            }
        }

        return [.. tops];
    }

    private TopList Shared(TopList list) => list with { Entries = list.Entries.Select(entry => entry with { Id = Shared(entry.Id) }).ToArray() };

    private string Shared(string id)
    {
        if (_ids.Find(id) is { } known)
        {
            return known;
        }

        _ids.Put(id, id, 1);
        return id;
    }

    private static bool IsSame(Known remembered, CountedDays.Mark? mark, long now) =>
        remembered.Mark is { } then && mark is { IsOfLate: true } of && CountedDays.Holds(then, remembered.ReadAt, of, now);

    private static CountedDays.Mark? MarkOf(TopSlice slice, int start, DayMarks? marks) =>
        marks is null ? null : CountedDays.Of(marks, CassandraStore.DayOf(slice, start));

    private static long EndOf(TopSlice slice, int start) =>
        slice == TopSlice.Hour ? (start + 1L) * Calendar.HourMilliseconds : Calendar.EndOf(start);

    /// <summary>What is remembered of an hour or a day.</summary>
    private sealed record Known(StoredTop[] Tops, CountedDays.Mark? Mark, long ReadAt);

    /// <summary>A row of <c>tops</c>.</summary>
    private sealed record StoredTop(TopList List, long Stamp, long Written);
}
