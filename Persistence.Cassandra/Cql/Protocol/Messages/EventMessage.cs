namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>EVENT (section 4.2.6). What changed is looked up afterwards, so only the kind is read; unknown kinds are looked at too.</summary>
internal readonly record struct EventMessage(string Type, string Change)
{
    public bool IsSchema => Type == "SCHEMA_CHANGE";

    public static EventMessage Read(in Frame frame)
    {
        CqlReader reader = frame.Read(out _);
        return new EventMessage(reader.ReadString(), reader.ReadString());
    }
}
