using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using Orleans;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra.Reminders;

/// <summary>
/// The reminders of a service, in 256 partitions by the upper bits of their grains' hashes and in the order of these. All
/// writes are conditional and all reads serial. An ETag is the nonce of one write.
/// </summary>
internal sealed class CassandraReminderTable(CassandraSession session, string service) : IReminderTable
{
    // A silo reads its part of the ring every few minutes: partitions at a time.
    private const int ReadsAtATime = 16;

    private readonly ReminderStatements _statements = new(session.Keyspace, session.Serial);

    public Task StartAsync(CancellationToken cancellationToken = default) => session.EnsureAsync(OrleansSchema.Part, cancellationToken).AsTask();

    public Task<ReminderTableData> ReadRows(GrainId grainId) => ReadRows(grainId, CancellationToken.None);

    public async Task<ReminderTableData> ReadRows(GrainId grainId, CancellationToken cancellationToken)
    {
        long hash = grainId.GetUniformHashCode();
        return new ReminderTableData(await ReadAsync(
            _statements.ReadGrain.Bind(service, HashRanges.SliceOf(hash), hash, GrainText.Of(grainId)), cancellationToken).ConfigureAwait(false));
    }

    public Task<ReminderTableData> ReadRows(uint begin, uint end) => ReadRows(begin, end, CancellationToken.None);

    public async Task<ReminderTableData> ReadRows(uint begin, uint end, CancellationToken cancellationToken)
    {
        (int Slice, long After, long UpTo)[] parts = [.. HashRanges.Cut(begin, end)];
        var read = new List<ReminderEntry>[parts.Length];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, parts.Length),
            new ParallelOptions { MaxDegreeOfParallelism = ReadsAtATime, CancellationToken = cancellationToken },
            async (index, token) =>
            {
                (int slice, long after, long upTo) = parts[index];
                read[index] = await ReadAsync(_statements.ReadRange.Bind(service, slice, after, upTo), token).ConfigureAwait(false);
            }).ConfigureAwait(false);
        return new ReminderTableData(read.SelectMany(rows => rows));
    }

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) => ReadRow(grainId, reminderName, CancellationToken.None);

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName, CancellationToken cancellationToken) =>
        ReadAsync(new ReminderKey(grainId, reminderName), cancellationToken);

    public Task<string?> UpsertRow(ReminderEntry entry) => UpsertRow(entry, CancellationToken.None);

    public async Task<string?> UpsertRow(ReminderEntry entry, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        var key = new ReminderKey(entry.GrainId, entry.ReminderName);
        Guid nonce = Guid.NewGuid();
        CqlValues values = new CqlValues()
            .Add(nonce)
            .Add(new DateTimeOffset(DateTime.SpecifyKind(entry.StartAt, DateTimeKind.Utc)))
            .Add(entry.Period.Ticks / TimeSpan.TicksPerMillisecond);
        CqlCommand command = _statements.Upsert.BindAll(key.AddTo(values, service).Add(nonce));
        // Only this write's own nonce makes the condition false: rejected, too, means that it was applied, by an attempt before.
        await session.Writes.RunAsync(
            "a reminder",
            () => session.Cql.CompareAndSetAsync(command, cancellationToken),
            async () => (await ReadAsync(key, cancellationToken).ConfigureAwait(false))?.ETag == nonce.ToString() ? Standing.Mine : Standing.Unchanged,
            cancellationToken).ConfigureAwait(false);
        return nonce.ToString();
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) => RemoveRow(grainId, reminderName, eTag, CancellationToken.None);

    public async Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(eTag, "D", out Guid etag))
        {
            return false;
        }

        await StartAsync(cancellationToken).ConfigureAwait(false);
        var key = new ReminderKey(grainId, reminderName);
        CqlCommand command = _statements.Remove.BindAll(key.AddTo(new CqlValues(), service).Add(etag));
        bool lost = false;
        return await session.Writes.RunAsync("a reminder", AskAsync, LookAsync, cancellationToken).ConfigureAwait(false);

        async Task<CasResult> AskAsync()
        {
            CasResult result = await session.Cql.CompareAndSetAsync(command, cancellationToken).ConfigureAwait(false);
            lost |= result.Outcome == CasOutcome.Unknown;
            return result;
        }

        // What is gone bears no nonce. Where an answer was lost it was probably ours, and gone it is.
        async Task<Standing> LookAsync() => (await ReadAsync(key, cancellationToken).ConfigureAwait(false))?.ETag switch
        {
            null when lost => Standing.Mine,
            { } now when now == etag.ToString() => Standing.Unchanged,
            _ => Standing.Others,
        };
    }

    public Task TestOnlyClearTable() => TestOnlyClearTable(CancellationToken.None);

    public async Task TestOnlyClearTable(CancellationToken cancellationToken)
    {
        ReminderTableData all = await ReadRows(0, 0, cancellationToken).ConfigureAwait(false);
        await Parallel.ForEachAsync(
            all.Reminders,
            new ParallelOptions { MaxDegreeOfParallelism = ReadsAtATime, CancellationToken = cancellationToken },
            async (row, token) => await RemoveRow(row.GrainId, row.ReminderName, row.ETag!, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task<ReminderEntry?> ReadAsync(ReminderKey key, CancellationToken cancellationToken)
    {
        List<ReminderEntry> rows = await ReadAsync(_statements.ReadOne.BindAll(key.AddTo(new CqlValues(), service)), cancellationToken).ConfigureAwait(false);
        return rows.Count > 0 ? rows[0] : null;
    }

    private async Task<List<ReminderEntry>> ReadAsync(CqlCommand command, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        var rows = new List<ReminderEntry>();
        await foreach (CqlRow row in session.Cql.QueryAsync(command, cancellationToken).ConfigureAwait(false))
        {
            rows.Add(new ReminderEntry
            {
                GrainId = GrainId.Parse(row.Get<string>("grain")),
                ReminderName = row.Get<string>("name"),
                StartAt = row.Get<DateTimeOffset>("start_at").UtcDateTime,
                Period = TimeSpan.FromMilliseconds(row.Get<long>("period_ms")),
                ETag = row.Get<Guid>("etag").ToString(),
            });
        }

        return rows;
    }

    private readonly record struct ReminderKey(GrainId Grain, string Name)
    {
        public CqlValues AddTo(CqlValues values, string service)
        {
            long hash = Grain.GetUniformHashCode();
            return values.Add(service).Add(HashRanges.SliceOf(hash)).Add(hash).Add(GrainText.Of(Grain)).Add(Name);
        }
    }
}
