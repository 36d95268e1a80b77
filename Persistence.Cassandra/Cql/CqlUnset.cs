namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>In the place of a value: leave the column as it is. A null writes a tombstone instead.</summary>
public readonly struct CqlUnset
{
    public static CqlUnset Value => default;
}
