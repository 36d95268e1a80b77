using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>The store of the cluster mode: tables in Cassandra, written absolutely under the stamps of their chains.</summary>
public sealed class CassandraStore : IBatchStore, IAsyncDisposable, IDisposable
{
    private readonly CassandraSession _session;
    private CassandraSessions? _owned;

    internal CassandraStore(CassandraSession session, CassandraStoreOptions options, TimeProvider time)
    {
        _session = session;
        Options = options;
        Statements = new StoreStatements(session.Keyspace);
        Keeping = new Keeping(options.RetentionMinutes, options.RetentionDays, options.Slack, time);
        Range = new HourRange(this);
        Series = new SeriesIndex(this);
        Pages = new PageTable(this);
        Days = new DayTable(this);
        Windows = new WindowTable(this);
        Tops = new TopTable(this);
        CountedDays = new CountedDays(this);
        Counts = new CassandraCountReader(this);
        Marks = new HourMarks(this);
        Ledger = new CassandraLedger(this);
    }

    /// <summary>The read side.</summary>
    public ICountReader Counts { get; }

    /// <summary>What reconciliation reads and keeps.</summary>
    public ILedgerStore Ledger { get; }

    /// <summary>The silos of now, where each of them notes the days that it touched late; else null. Nobody knows of other processes.</summary>
    internal Func<long?> MarkedBy { get; set; } = static () => null;

    internal CassandraStoreOptions Options { get; }

    internal StoreStatements Statements { get; }

    internal Keeping Keeping { get; }

    internal HourRange Range { get; }

    internal SeriesIndex Series { get; }

    internal PageTable Pages { get; }

    internal DayTable Days { get; }

    internal WindowTable Windows { get; }

    internal HourMarks Marks { get; }

    internal TopTable Tops { get; }

    internal CountedDays CountedDays { get; }

    internal CqlDataSource Cql => _session.Cql;

    /// <summary>A store of a process that is no silo, with connections of its own; it closes them.</summary>
    /// <exception cref="ArgumentException">The options have faults; it names them all.</exception>
    /// <exception cref="Persistence.Cassandra.Schema.SchemaUnusableException">The tables are not what this build can work with.</exception>
    /// <exception cref="CqlException">Cassandra cannot be asked, or refuses.</exception>
    public static async Task<CassandraStore> OpenAsync(
        CassandraStoreOptions options, ILoggerFactory loggers, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join("; ", faults), nameof(options));
        }

        var sessions = new CassandraSessions(loggers, time);
        try
        {
            var store = new CassandraStore(sessions.Get(options.Configured()), options, time ?? TimeProvider.System) { _owned = sessions };
            await store.OpenAsync(cancellationToken).ConfigureAwait(false);
            return store;
        }
        catch
        {
            await sessions.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Sees to it that the tables are there and are as they have to be.</summary>
    internal async Task OpenAsync(CancellationToken cancellationToken)
    {
        await _session.EnsureAsync(CassandraSchema.Clicks, cancellationToken).ConfigureAwait(false);
        await CassandraSchema.CheckReadRepairAsync(_session, cancellationToken).ConfigureAwait(false);
        await Marks.TakeUpAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The windows of a batch are written before; each row here is of a partition of its own.</summary>
    public async Task WriteAsync(BatchRows rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        long now = Keeping.Now();
        IEnumerable<Func<Task>> writes =
        [
            .. Marks.Puts(rows, now, cancellationToken),
            .. rows.Tops.Select(list => (Func<Task>)(() => PutTopAsync(list, rows.Stamp, now, cancellationToken))),
            .. rows.Pages.Select(page => (Func<Task>)(() => Pages.PutAsync(page, now, cancellationToken))),
        ];
        await AtOnceAsync(writes, static (write, _) => new ValueTask(write()), cancellationToken).ConfigureAwait(false);

        // Last, for they say of the lists as well that they have changed.
        await AtOnceAsync(
            Marks.PutLateDays(rows, now, cancellationToken), static (write, _) => new ValueTask(write()), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken)
    {
        CqlRow? found = await Cql.QueryFirstAsync(
            Statements.GetTop.Bind(TargetKinds.Name(key.Kind), NameOf(key.Slice), key.Start, key.Chain), cancellationToken).ConfigureAwait(false);
        return found is { } row && ListOf(key, row) is { } list
            && await KeptAsync(key, WindowTable.WrittenOf(row), Keeping.Now(), cancellationToken).ConfigureAwait(false)
                ? list
                : null;
    }

    /// <inheritdoc/>
    public Task<long?> ReadHourAsync(int hour, int chain, CancellationToken cancellationToken) => Marks.ReadAsync(hour, chain, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int chain, CancellationToken cancellationToken)
    {
        HashSet<int> asked = [.. hours];
        List<(int Hour, FinalMark Final)> found = await GatherAsync<IGrouping<int, int>, (int Hour, FinalMark Final)>(
            [.. asked.GroupBy(Calendar.DayOf)],
            async (ofDay, finals, token) =>
            {
                await foreach (CqlRow row in Cql.QueryAsync(Statements.Ledger.ReadFinals.Bind(ofDay.Key, ofDay.Min(), ofDay.Max() + 1), token).ConfigureAwait(false))
                {
                    if (row.Get<int>("chain") == chain && asked.Contains(row.Get<int>("hour")))
                    {
                        finals.Add((row.Get<int>("hour"), new FinalMark(row.Get<long>("upto"), row.Get<long>("run"), row.Get<long[]>("versions")[^1])));
                    }
                }
            },
            cancellationToken).ConfigureAwait(false);
        return found.ToDictionary(one => one.Hour, one => one.Final);
    }

    /// <summary>Closes the connections, where they are this store's own.</summary>
    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => _owned?.Dispose();

    internal static string NameOf(TopSlice slice) => slice == TopSlice.Hour ? "hour" : "day";

    internal static int DayOf(TopKey key) => DayOf(key.Slice, key.Start);

    internal static int DayOf(TopSlice slice, int start) => slice == TopSlice.Hour ? Calendar.DayOf(start) : start;

    /// <summary>
    /// The list of a row; null where somebody took a part of it: without its floor a list promises nothing, and it is mended like
    /// one that is gone.
    /// </summary>
    internal static TopList? ListOf(TopKey key, CqlRow row)
    {
        string[] ids = row.Get<string[]>("ids");
        long[] clicks = row.Get<long[]>("clicks");
        return row.IsNull("floor") || row.IsNull("stamp") || ids.Length != clicks.Length
            ? null
            : new TopList(key, ids.Select((id, n) => new TopEntry(id, clicks[n])).ToArray(), row.Get<long>("floor"));
    }

    /// <summary>A list goes when its time is over and no series of its kind is left in its day.</summary>
    internal async ValueTask<bool> KeptAsync(TopKey key, long written, long now, CancellationToken cancellationToken)
    {
        int day = DayOf(key);
        return !Keeping.IsOver(day, written, now)
            || await Series.HasAnyAsync(TargetKinds.Name(key.Kind), day, now, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs some reads or writes at the same time, so many at most.</summary>
    internal Task AtOnceAsync<T>(IEnumerable<T> items, Func<T, CancellationToken, ValueTask> run, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = Options.MaxReads, CancellationToken = cancellationToken }, run);

    /// <summary>Reads all parts, some at the same time; what they give is put together in their order.</summary>
    internal async Task<List<TRow>> GatherAsync<TPart, TRow>(
        IReadOnlyList<TPart> parts, Func<TPart, List<TRow>, CancellationToken, Task> read, CancellationToken cancellationToken)
    {
        var found = new List<TRow>[parts.Count];
        await AtOnceAsync(
            Enumerable.Range(0, parts.Count),
            async (n, token) => await read(parts[n], found[n] = [], token).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
        return [.. found.SelectMany(rows => rows)];
    }

    private async Task PutTopAsync(TopList list, long stamp, long now, CancellationToken cancellationToken)
    {
        TopKey key = list.Key;
        string kind = TargetKinds.Name(key.Kind), slice = NameOf(key.Slice);

        // The timestamp decides between different stamps; between equal ones Cassandra would take the greater value, cell by
        // cell. A batch that is repeated is the same, so this is only for those that are not ours.
        CqlRow? stored = await Cql.QueryFirstAsync(Statements.GetTopStamp.Bind(kind, slice, key.Start, key.Chain), cancellationToken).ConfigureAwait(false);
        if (stored is { } row && stamp <= row.GetOrDefault<long>("stamp"))
        {
            return;
        }

        int day = DayOf(key);
        long written = Keeping.WrittenAt(now, stamp, 0);
        await Range.NoteAsync(day * 24, (day * 24) + 23, cancellationToken).ConfigureAwait(false);
        await Cql.ExecuteAsync(
            Statements.PutTop.BindAll(new CqlValues().Add(kind).Add(slice).Add(key.Start).Add(key.Chain)
                .Add(list.Entries.Select(entry => entry.Id).ToArray()).Add(list.Entries.Select(entry => entry.Clicks).ToArray())
                .Add(list.Floor).Add(stamp).Add(DateTimeOffset.FromUnixTimeMilliseconds(written)).Add(stamp).Add(Keeping.RowTtl(day, written, now))),
            cancellationToken).ConfigureAwait(false);
    }
}
