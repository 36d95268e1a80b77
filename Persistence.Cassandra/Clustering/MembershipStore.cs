using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra.Clustering;

/// <summary>
/// The silos of a cluster: one partition, with the version of the whole in it, so that one conditional batch changes a silo
/// and the version. A write's nonce is the ETag of both. A cluster that was never written has version 0 and the ETag "".
/// </summary>
internal sealed class MembershipStore(CassandraSession session, string cluster, ILogger logger)
{
    private const int MaxDeletes = 10;

    private readonly MembershipStatements _statements = new(session.Keyspace, session.Serial);

    /// <summary>Another cluster's, in the same tables.</summary>
    public MembershipStore For(string other) => other == cluster ? this : new MembershipStore(session, other, logger);

    public ValueTask OpenAsync(CancellationToken cancellationToken) => session.EnsureAsync(OrleansSchema.Part, cancellationToken);

    /// <summary>All silos and the version, as of one moment; when each was last alive, as of about then.</summary>
    public async Task<MembershipTableData> ReadAsync(CancellationToken cancellationToken)
    {
        await OpenAsync(cancellationToken).ConfigureAwait(false);
        Dictionary<string, DateTimeOffset> alive = await ReadAliveAsync(cancellationToken).ConfigureAwait(false);
        CqlPage page = await session.Cql.QueryPageAsync(_statements.Read.Bind(cluster), cancellationToken: cancellationToken).ConfigureAwait(false);
        if (page.HasMorePages)
        {
            throw new InvalidOperationException($"Cassandra: cluster {cluster} has more than {page.Count} silos, which cannot be read at once");
        }

        // A partition without silos is a row without one.
        var silos = new List<Tuple<MembershipEntry, string>>();
        foreach (CqlRow row in page.Where(row => !row.IsNull("silo")))
        {
            silos.Add(MembershipRow.Read(row, alive.TryGetValue(row.Get<string>("silo"), out DateTimeOffset time) ? time : null));
        }

        var version = page.Count > 0 && page[0].Get<int?>("version") is { } number
            ? new TableVersion(number, page[0].Get<Guid>("version_etag").ToString())
            : new TableVersion(0, "");
        return new MembershipTableData(silos, version);
    }

    /// <param name="entry">What the silo's row becomes.</param>
    /// <param name="etag">The row's; null for a silo that has none yet.</param>
    /// <param name="version">What the version becomes, with the ETag that it has.</param>
    /// <param name="cancellationToken">After it nobody knows.</param>
    /// <returns>False where the row or the version is not what the caller takes it for.</returns>
    public async Task<bool> WriteAsync(MembershipEntry entry, string? etag, TableVersion version, CancellationToken cancellationToken)
    {
        if (!TryEtag(version.VersionEtag, out Guid? known) || !TryEtag(etag, out Guid? row) || (etag is not null && row is null))
        {
            return false;
        }

        await OpenAsync(cancellationToken).ConfigureAwait(false);
        Guid nonce = Guid.NewGuid();
        CqlValues values = MembershipRow.AddTo(new CqlValues(), nonce, entry).Add(cluster).Add(entry.SiloAddress.ToParsableString());
        CqlBatch batch = new CqlBatch()
            .Add(_statements.SetVersion.Bind(version.Version, nonce, cluster, known))
            .Add(row is null ? _statements.Insert.BindAll(values) : _statements.Update.BindAll(values.Add(row.Value)));
        return await session.Writes.RunAsync(
            "a silo", () => session.Cql.CompareAndSetAsync(batch, cancellationToken), LookAsync, cancellationToken).ConfigureAwait(false);

        async Task<Standing> LookAsync()
        {
            MembershipTableData now = await ReadAsync(cancellationToken).ConfigureAwait(false);
            return now.TryGet(entry.SiloAddress)?.Item2 == nonce.ToString() ? Standing.Mine
                : now.Version.VersionEtag == version.VersionEtag ? Standing.Unchanged
                : Standing.Others;
        }
    }

    /// <summary>Neither version nor ETags change. Of two of a silo the later time stays, in whatever order they arrive.</summary>
    public async Task SetAliveAsync(MembershipEntry entry, CancellationToken cancellationToken)
    {
        await OpenAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset alive = MembershipRow.Utc(entry.IAmAliveTime);
        CqlCommand command = _statements.SetAlive.Bind(cluster, entry.SiloAddress.ToParsableString(), alive);
        long microseconds = Math.Max(0, (alive - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        await session.Cql.ExecuteAsync(command.WithTimestamp(microseconds), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes the dead of whom nothing was heard since.</summary>
    public async Task RemoveDeadAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        MembershipTableData data = await ReadAsync(cancellationToken).ConfigureAwait(false);
        int removed = 0;
        foreach ((MembershipEntry entry, string etag) in data.Members)
        {
            if (entry.Status == SiloStatus.Dead && MembershipRow.LastSeen(entry) < before)
            {
                CqlCommand delete = DeleteOf(entry, etag);
                // Whether it is gone or was changed: the next clean-up looks again.
                CasResult result = await session.Cql.CompareAndSetAsync(delete, cancellationToken).ConfigureAwait(false);
                removed += result.IsApplied ? 1 : 0;
            }
        }

        if (removed > 0)
        {
            CassandraEvents.SilosRemoved(logger, removed, cluster);
        }
    }

    /// <summary>Removes all silos, and the version.</summary>
    /// <exception cref="InvalidOperationException">Others go on changing it.</exception>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxDeletes; attempt++)
        {
            MembershipTableData data = await ReadAsync(cancellationToken).ConfigureAwait(false);
            if (data.Version.VersionEtag.Length == 0 && data.Members.Count == 0)
            {
                await session.Cql.ExecuteAsync(_statements.DeleteAlive.Bind(cluster), cancellationToken).ConfigureAwait(false);
                return;
            }

            TryEtag(data.Version.VersionEtag, out Guid? version);
            CqlBatch batch = new CqlBatch().Add(_statements.DeleteVersion.Bind(cluster, version));
            foreach ((MembershipEntry entry, string etag) in data.Members)
            {
                batch.Add(DeleteOf(entry, etag));
            }

            // Whatever the answer: the next look tells.
            await session.Cql.CompareAndSetAsync(batch, cancellationToken).ConfigureAwait(false);
        }

        throw new InvalidOperationException($"Cassandra: cluster {cluster} cannot be deleted while silos change it");
    }

    private CqlCommand DeleteOf(MembershipEntry entry, string etag) =>
        _statements.Delete.Bind(cluster, entry.SiloAddress.ToParsableString(), Guid.Parse(etag));

    private async Task<Dictionary<string, DateTimeOffset>> ReadAliveAsync(CancellationToken cancellationToken)
    {
        var alive = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        await foreach (CqlRow row in session.Cql.QueryAsync(_statements.ReadAlive.Bind(cluster), cancellationToken).ConfigureAwait(false))
        {
            alive[row.Get<string>("silo")] = row.Get<DateTimeOffset>("alive");
        }

        return alive;
    }

    /// <summary>False for an ETag that this table never gave out.</summary>
    private static bool TryEtag(string? text, out Guid? etag)
    {
        etag = Guid.TryParseExact(text, "D", out Guid known) ? known : null;
        return etag is not null || string.IsNullOrEmpty(text);
    }
}
