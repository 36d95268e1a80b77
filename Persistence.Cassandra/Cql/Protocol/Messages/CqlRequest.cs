namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>Something that a server is asked (section 4.1). Its values are encoded before: writing it is copying.</summary>
internal abstract class CqlRequest
{
    public abstract Opcode Opcode { get; }

    public abstract void WriteBody(CqlBuffer buffer);
}
