using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Schema;

/// <summary>
/// Brings a keyspace to the version of this build. Many may do it at once: every step may be made twice. A keyspace that is
/// one version ahead is used as it is, because steps only add; so a rolling upgrade can be rolled back.
/// </summary>
internal sealed class SchemaCreator(CqlDataSource cql, CassandraOptions options, ILogger logger)
{
    private readonly CqlIdentifier _keyspace = CqlIdentifier.Parse(options.Keyspace);

    /// <exception cref="SchemaUnusableException">Something is missing and may not be created, or a later version wrote it.</exception>
    public async Task EnsureAsync(SchemaPart part, CancellationToken cancellationToken)
    {
        await cql.OpenAsync(cancellationToken).ConfigureAwait(false);
        int version = await VersionAsync(part, cancellationToken).ConfigureAwait(false) ?? 0;
        if (version > part.Current + 1)
        {
            throw new SchemaUnusableException(
                $"Cassandra: the tables '{part.Name}' of keyspace {_keyspace.Name} have version {version}, and this build knows {part.Current}: "
                + "it works beside the next version and no later one. Run a later build");
        }

        if (version < part.Current)
        {
            if (!options.CreateSchema)
            {
                throw new SchemaUnusableException(
                    $"Cassandra: the tables '{part.Name}' of keyspace {_keyspace.Name} have version {version} and this build needs {part.Current}, "
                    + $"and {nameof(CassandraOptions)}.{nameof(CassandraOptions.CreateSchema)} is false: run the schema script of this build first");
            }

            await UpgradeAsync(part, version, cancellationToken).ConfigureAwait(false);
        }

        await CheckAsync(part, cancellationToken).ConfigureAwait(false);
    }

    private async Task UpgradeAsync(SchemaPart part, int version, CancellationToken cancellationToken)
    {
        if (await ReplicationAsync(cancellationToken).ConfigureAwait(false) is null)
        {
            string replication = options.Replication.Length > 0
                ? options.Replication
                : KeyspaceReplication.For(cql.LocalDataCenter, cql.LocalHostCount);
            await ChangeAsync(SchemaScript.KeyspaceText(_keyspace, replication), cancellationToken).ConfigureAwait(false);
            CassandraEvents.KeyspaceCreated(logger, _keyspace.Name, replication);
        }

        await ChangeAsync(SchemaScript.Versions.TextFor(_keyspace), cancellationToken).ConfigureAwait(false);
        for (; version < part.Current; version++)
        {
            foreach (SchemaStep step in part.Versions[version])
            {
                await ChangeAsync(step.TextFor(_keyspace), cancellationToken).ConfigureAwait(false);
            }

            // Not conditional: whoever writes a number has made all steps up to it. A slower and older build may write a lower
            // one afterwards; then steps are made once more.
            var put = new CqlStatement($"INSERT INTO {_keyspace}.{SchemaScript.Versions.Table} (part, version) VALUES (?, ?)", idempotent: true);
            await cql.ExecuteAsync(put.Bind(part.Name, version + 1), cancellationToken).ConfigureAwait(false);
            CassandraEvents.Upgraded(logger, part.Name, _keyspace.Name, version + 1);
        }
    }

    private async Task<int?> VersionAsync(SchemaPart part, CancellationToken cancellationToken)
    {
        if (!(await TablesAsync(cancellationToken).ConfigureAwait(false)).Contains(SchemaScript.Versions.Table.Name))
        {
            return null;
        }

        var get = new CqlStatement($"SELECT version FROM {_keyspace}.{SchemaScript.Versions.Table} WHERE part = ?");
        try
        {
            return (await cql.QueryFirstAsync(get.Bind(part.Name), cancellationToken).ConfigureAwait(false))?.Get<int>("version");
        }
        catch (CqlServerException fault) when (fault.Code == CqlErrorCode.Invalid)
        {
            // Somebody makes it at this moment: a node lists a table before it knows it. Making it once more waits until all do.
            return null;
        }
    }

    // What others may have changed since.
    private async Task CheckAsync(SchemaPart part, CancellationToken cancellationToken)
    {
        HashSet<string> found = await TablesAsync(cancellationToken).ConfigureAwait(false);
        string[] missing = [.. part.Versions.SelectMany(steps => steps).Select(step => step.Table.Name).Distinct().Where(table => !found.Contains(table))];
        if (missing.Length > 0)
        {
            throw new SchemaUnusableException(
                $"Cassandra: keyspace {_keyspace.Name} has version {part.Current} of '{part.Name}' but lacks {string.Join(", ", missing)}: "
                + "restore it, or run the schema script of this build");
        }

        int nodes = cql.LocalHostCount;
        if (nodes > 1 && await ReplicationAsync(cancellationToken).ConfigureAwait(false) is { } replication
            && KeyspaceReplication.Copies(replication, cql.LocalDataCenter) == 1)
        {
            CassandraEvents.NotReplicated(logger, _keyspace.Name, nodes);
        }
    }

    private async Task<HashSet<string>> TablesAsync(CancellationToken cancellationToken)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var tables = new CqlStatement("SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?");
        await foreach (CqlRow row in cql.QueryAsync(tables.Bind(_keyspace.Name), cancellationToken).ConfigureAwait(false))
        {
            found.Add(row.Get<string>("table_name"));
        }

        return found;
    }

    /// <summary>How the keyspace is replicated; null where there is none.</summary>
    private async Task<IReadOnlyDictionary<string, string>?> ReplicationAsync(CancellationToken cancellationToken)
    {
        var get = new CqlStatement("SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?");
        return (await cql.QueryFirstAsync(get.Bind(_keyspace.Name), cancellationToken).ConfigureAwait(false))
            ?.Get<IReadOnlyDictionary<string, string>>("replication");
    }

    private Task ChangeAsync(string text, CancellationToken cancellationToken) =>
        cql.ExecuteSchemaAsync(new CqlStatement(text, idempotent: true), cancellationToken);
}
