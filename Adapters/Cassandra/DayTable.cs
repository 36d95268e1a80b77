using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>The day slices as their windows see them.</summary>
internal sealed class DayTable(CassandraStore store)
{
    public DayMemory Memory { get; } = new(store.Options.MaxDaysInMemory);

    /// <summary>Reads a day that is held: as it is by now, with what this process wrote meanwhile, and its hours as they were read.</summary>
    public async Task<(DayView View, DayHours? Hours)> ReadAsync(DayKey key, DayCounts day, CancellationToken cancellationToken)
    {
        long begun = day.BeginRead();
        CqlRow? row = await store.Cql.QueryFirstAsync(
            store.Statements.GetDay.Bind(key.Series, key.Year, key.Day, key.Chain), cancellationToken).ConfigureAwait(false);
        StoredDay? stored = row is { } found ? Stored(found) : null;
        return (day.Take(stored, begun), stored?.Hours);
    }

    /// <summary>
    /// The day as it is before one of its hours is written, from memory if it is known. What is left of a day that is over is
    /// deleted first, for the write would bring it back.
    /// </summary>
    public async Task<DayView> BeforeWriteAsync(DayKey key, DayCounts day, long now, CancellationToken cancellationToken)
    {
        DayView view = day.View() ?? (await ReadAsync(key, day, cancellationToken).ConfigureAwait(false)).View;
        if (view.Exists && store.Keeping.IsOver(key.Day, view.Written, now))
        {
            (view, _) = await ReadAsync(key, day, cancellationToken).ConfigureAwait(false);
            if (view.Exists && store.Keeping.IsOver(key.Day, view.Written, now))
            {
                await DeleteAsync(key, view.Stamp, cancellationToken).ConfigureAwait(false);
                (view, _) = await ReadAsync(key, day, cancellationToken).ConfigureAwait(false);
            }
        }

        return view;
    }

    private static StoredDay Stored(CqlRow row) => new(CountColumns.Day(row), row.GetOrDefault<long>("stamp"), WindowTable.WrittenOf(row));

    /// <summary>
    /// Under the highest stamp that the day was written with: what anybody writes to it now has a higher one, for its chain has
    /// gone on since.
    /// </summary>
    private async Task DeleteAsync(DayKey key, long stamp, CancellationToken cancellationToken)
    {
        var windows = new CqlBatch();
        for (int hour = 0; hour < 24; hour++)
        {
            windows.Add(store.Statements.DeleteWindow.Bind(stamp, key.Series, key.Day, (key.Day * 24) + hour, key.Chain));
        }

        // The windows go last here: a day that is there names those that may be.
        await store.Cql.ExecuteAsync(windows, cancellationToken).ConfigureAwait(false);
        await store.Cql.ExecuteAsync(
            store.Statements.DeleteDay.Bind(stamp, key.Series, key.Year, key.Day, key.Chain), cancellationToken).ConfigureAwait(false);
    }
}
