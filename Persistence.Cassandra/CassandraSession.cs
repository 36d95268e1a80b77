using System.Collections.Concurrent;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>The connections that providers with equal options share, and the parts of the schema that they have asked for.</summary>
public sealed class CassandraSession : IAsyncDisposable
{
    private readonly SchemaCreator _schema;
    // Never disposed: it holds nothing but memory.
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ConcurrentDictionary<string, SchemaPart> _ensured = [];

    internal CassandraSession(CassandraOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        ILogger logger = loggers.CreateLogger("ClickAggregator.Persistence.Cassandra");
        Cql = CqlDataSource.Create(options.Cql, loggers, time);
        Keyspace = CqlIdentifier.Parse(options.Keyspace);
        Serial = options.Cql.SerialConsistency;
        Writes = new ConditionalWrite(time, logger);
        _schema = new SchemaCreator(Cql, options, logger);
    }

    public CqlDataSource Cql { get; }

    public CqlIdentifier Keyspace { get; }

    /// <summary>What conditional writes agree at, and so what reads that must see them are made with.</summary>
    public CqlConsistency Serial { get; }

    /// <summary>Conditional writes whose answer may be lost.</summary>
    public ConditionalWrite Writes { get; }

    /// <summary>Sees to it that the tables of a part are there. Called again it asks nothing.</summary>
    /// <exception cref="SchemaUnusableException">Something is missing and may not be created, or a later version wrote it.</exception>
    /// <exception cref="CqlException">Cassandra cannot be asked, or refuses.</exception>
    public ValueTask EnsureAsync(SchemaPart part, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(part);
        return _ensured.ContainsKey(part.Name) ? ValueTask.CompletedTask : new ValueTask(EnsureFirstAsync(part, cancellationToken));
    }

    public ValueTask DisposeAsync() => Cql.DisposeAsync();

    // One after the other: the schema is changed by one at a time, within a process at least.
    private async Task EnsureFirstAsync(SchemaPart part, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_ensured.ContainsKey(part.Name))
            {
                await _schema.EnsureAsync(part, cancellationToken).ConfigureAwait(false);
                _ensured[part.Name] = part;
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
