using Orleans.Runtime;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Checks the options of a provider before a silo or a client starts.</summary>
internal sealed class KafkaStreamOptionsValidator(string name, KafkaStreamOptions options) : IConfigurationValidator
{
    public void ValidateConfiguration()
    {
        if (options.Validate() is { Count: > 0 } faults)
        {
            throw new OrleansConfigurationException($"Kafka streams '{name}': {string.Join("; ", faults)}");
        }
    }
}
