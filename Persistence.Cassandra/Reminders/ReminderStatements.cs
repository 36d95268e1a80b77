using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Persistence.Cassandra.Reminders;

/// <summary>What is asked of the table of reminders.</summary>
internal sealed class ReminderStatements(CqlIdentifier keyspace, CqlConsistency serial)
{
    public CqlStatement ReadOne { get; } = new(
        $"SELECT grain, name, etag, start_at, period_ms FROM {keyspace}.{OrleansSchema.Reminders} WHERE service = ? AND slice = ? AND hash = ? AND grain = ? AND name = ?")
    {
        Consistency = serial,
    };

    public CqlStatement ReadGrain { get; } = new(
        $"SELECT grain, name, etag, start_at, period_ms FROM {keyspace}.{OrleansSchema.Reminders} WHERE service = ? AND slice = ? AND hash = ? AND grain = ?")
    {
        Consistency = serial,
    };

    public CqlStatement ReadRange { get; } = new(
        $"SELECT grain, name, etag, start_at, period_ms FROM {keyspace}.{OrleansSchema.Reminders} WHERE service = ? AND slice = ? AND hash > ? AND hash <= ?")
    {
        Consistency = serial,
    };

    /// <summary>Its condition is its own new ETag: it always holds, but for what this very write has written.</summary>
    public CqlStatement Upsert { get; } = new(
        $"UPDATE {keyspace}.{OrleansSchema.Reminders} SET etag = ?, start_at = ?, period_ms = ? WHERE service = ? AND slice = ? AND hash = ? AND grain = ? AND name = ? IF etag != ?");

    public CqlStatement Remove { get; } = new(
        $"DELETE FROM {keyspace}.{OrleansSchema.Reminders} WHERE service = ? AND slice = ? AND hash = ? AND grain = ? AND name = ? IF etag = ?");
}
