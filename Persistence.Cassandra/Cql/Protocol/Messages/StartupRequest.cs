namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>STARTUP (section 4.1.1). Servers show the driver's name in their lists of clients.</summary>
internal sealed class StartupRequest : CqlRequest
{
    public static readonly StartupRequest Instance = new();

    public override Opcode Opcode => Opcode.Startup;

    public override void WriteBody(CqlBuffer buffer) => buffer.WriteStringMap(
        ("CQL_VERSION", "3.0.0"),
        ("DRIVER_NAME", "ClickAggregator CQL"),
        ("DRIVER_VERSION", typeof(StartupRequest).Assembly.GetName().Version?.ToString(3) ?? "0"));
}
