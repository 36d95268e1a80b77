using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>Checks the options of a provider before a silo or a client starts.</summary>
internal sealed class CassandraOptionsValidator(string provider, CassandraOptions options) : IConfigurationValidator
{
    public void ValidateConfiguration()
    {
        if (options.Validate() is { Count: > 0 } faults)
        {
            throw new OrleansConfigurationException($"Cassandra {provider}: {string.Join("; ", faults)}");
        }
    }
}
