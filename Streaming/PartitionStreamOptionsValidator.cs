using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ClickAggregator.Streaming;

/// <summary>Checks, before a silo starts, the options of a provider and that its log and its start are registered.</summary>
internal sealed class PartitionStreamOptionsValidator(IServiceProvider services, string name) : IConfigurationValidator
{
    public void ValidateConfiguration()
    {
        PartitionStreamOptions options = services.GetRequiredService<IOptionsMonitor<PartitionStreamOptions>>().Get(name);
        var faults = new List<string>(options.Validate());
        RequireService(typeof(IPartitionLog));
        RequireService(typeof(IReaderStart));
        if (faults.Count > 0)
        {
            throw new Orleans.Runtime.OrleansConfigurationException($"partition streams '{name}': {string.Join("; ", faults)}");
        }

        void RequireService(Type type)
        {
            var known = services.GetRequiredService<IServiceProviderIsKeyedService>();
            if (!known.IsKeyedService(type, name) && !known.IsService(type))
            {
                faults.Add($"{type.Name} is not registered, neither with the key '{name}' nor without one");
            }
        }
    }
}
