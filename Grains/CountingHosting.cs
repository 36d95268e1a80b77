using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Query;
using ClickAggregator.Grains.Windows;
using ClickAggregator.Streaming;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;

namespace ClickAggregator.Grains;

/// <summary>Registers the counting with a silo.</summary>
public static class CountingHosting
{
    /// <summary>
    /// Adds the grains' services and the stream of clicks. The log (<see cref="IPartitionLog"/>), the store's ports and
    /// the two storage providers are registered by the caller.
    /// </summary>
    public static ISiloBuilder AddClickCounting(this ISiloBuilder builder, CountingOptions options)
    {
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<ProgressBoard>();
        builder.Services.AddSingleton(new RepeatBoard());
        builder.Services.AddSingleton(services => new PartitionVoice(new SeldomSaid(services.GetRequiredService<TimeProvider>())));
        builder.Services.AddSingleton<CountingInstruments>();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton(new PreviousLog(null));
        builder.Services.TryAddSingleton(new DeadLetterSink(null));
        builder.Services.TryAddSingleton(new SourceProgress(null));
        builder.Services.AddSingleton<IReaderStart, RecordedStart>();
        builder.Services.AddHostedService<PartitionKeeper>();
        builder.Services.AddHostedService<ProgressWatch>();
        builder.AddPartitionStreams("clicks", streams =>
        {
            streams.PullPeriod = TimeSpan.FromMilliseconds(20);

            // What the partition buffers itself is enough ahead.
            streams.CacheBytes = 8L << 20;
        });

        builder.AddGrainDirectory(WindowDirectory.Name, (_, _) => new WindowDirectory());

        // A window that got no click for a minute need not stay in memory: reading it back is one row.
        builder.Services.Configure<GrainCollectionOptions>(collection =>
        {
            collection.CollectionQuantum = TimeSpan.FromSeconds(20);
            collection.ClassSpecificCollectionAge[typeof(WindowGrain).FullName!] = TimeSpan.FromMinutes(1);
        });
        return builder;
    }

    /// <summary>Asks the main questions once before the silo takes part: for a store far enough away that the first answers are slow.</summary>
    public static ISiloBuilder AddQueryWarmUp(this ISiloBuilder builder)
    {
        builder.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, QueryWarmUp>();
        return builder;
    }
}
