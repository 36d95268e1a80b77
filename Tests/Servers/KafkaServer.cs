using ClickAggregator.Servers;

[assembly: AssemblyFixture(typeof(KafkaServer))]

namespace ClickAggregator.Servers;

/// <summary>A broker.</summary>
public sealed class KafkaServer() : SharedServer("Kafka", "KAFKA_BOOTSTRAP_SERVERS")
{
    /// <summary>Where the broker is; skips the test where there is none.</summary>
    public Task<string> BootstrapServersAsync() => AddressAsync();

    private protected override async Task<string> StartAsync(ServerScript script)
    {
        await script.StartKafkaAsync();
        return script.Kafka;
    }
}
