using ClickAggregator.Grains.Archive;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ClickAggregator.Grains;

/// <summary>Registers the archive with a silo.</summary>
public static class ArchiveHosting
{
    /// <summary>
    /// Adds the archive of what is counted, beside <see cref="CountingHosting.AddClickCounting"/>. Where objects are
    /// (<see cref="IArchiveObjects"/>) and their form (<see cref="IClickFiles"/>) are registered by the caller.
    /// </summary>
    public static ISiloBuilder AddClickArchive(this ISiloBuilder builder, ArchiveOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        builder.Services.AddSingleton(options);
        builder.Services.TryAddSingleton<ArchiveBoard>();
        builder.Services.AddSingleton<ArchiveInstruments>();
        builder.Services.AddSingleton(new ArchiveGate(options.AtOnce));
        builder.Services.AddHostedService<ArchiveKeeper>();
        return builder;
    }
}
