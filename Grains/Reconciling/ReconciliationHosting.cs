using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>Registers reconciliation with a silo that counts.</summary>
public static class ReconciliationHosting
{
    /// <summary>
    /// Adds what the reconciliation grains need. The ledger (<see cref="ILedgerStore"/>), the archive and a table of reminders are
    /// registered by the caller.
    /// </summary>
    public static ISiloBuilder AddClickReconciliation(this ISiloBuilder builder, ReconciliationOptions options)
    {
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<LedgerBoard>();
        builder.Services.AddSingleton<ReconciliationInstruments>();
        builder.Services.AddSingleton<GrainChains>();
        builder.Services.TryAddSingleton<ICountedChains>(services => services.GetRequiredService<GrainChains>());
        builder.Services.TryAddSingleton<IHourArchive, GrainArchive>();
        builder.Services.AddHostedService<ReconciliationKeeper>();
        return builder;
    }
}
