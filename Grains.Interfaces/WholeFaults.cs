using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace ClickAggregator.Grains;

/// <summary>Faults that go from one program to another.</summary>
public static class WholeFaults
{
    /// <summary>
    /// Lets every exception pass between silos, and from them to clients, with all that caused it. Orleans by itself passes those of
    /// a few namespaces only: where another one is among the causes, as a database's may be, the answer cannot be written, and whoever
    /// asked hears of a codec that is missing and not of the store that is away.
    /// </summary>
    public static IServiceCollection AddWholeFaults(this IServiceCollection services) =>
        services.Configure<ExceptionSerializationOptions>(options => options.SupportedExceptionTypeFilter = static _ => true);
}
