namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>OPTIONS (section 4.1.3): what do you support, and are you there?</summary>
internal sealed class OptionsRequest : CqlRequest
{
    public static readonly OptionsRequest Instance = new();

    public override Opcode Opcode => Opcode.Options;

    public override void WriteBody(CqlBuffer buffer)
    {
    }
}
