namespace ClickAggregator.Persistence.Cassandra.Schema;

/// <summary>The tables are not what this build can work with; the message says what to do.</summary>
public sealed class SchemaUnusableException(string message) : Exception(message);
