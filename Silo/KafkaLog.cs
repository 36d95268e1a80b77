using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Silo.Kafka;
using ClickAggregator.Streaming;
using ClickAggregator.Streaming.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Silo;

/// <summary>Puts Kafka's topic in the place of the log that is counted.</summary>
internal static class KafkaLog
{
    /// <param name="services">Those of the silo.</param>
    /// <param name="kafka">The topics.</param>
    /// <param name="leastPartitions">How many partitions a topic needs at least that is made.</param>
    public static void AddKafkaLog(this IServiceCollection services, KafkaSiloOptions kafka, Func<IServiceProvider, int>? leastPartitions = null)
    {
        services.AddSingleton<IPartitionLog>(all =>
        {
            kafka.Clicks.Partitions = Math.Max(kafka.Clicks.Partitions, leastPartitions?.Invoke(all) ?? 1);
            return new EnsuredTopic(
                kafka.Clicks, mapping: null, ensure: true, all.GetRequiredService<TimeProvider>(), all.GetRequiredService<ILoggerFactory>());
        });
        services.AddSingleton(all => new KafkaDeadLetters(
            kafka.DeadLetters, all.GetRequiredService<TimeProvider>(), all.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton(all => new DeadLetterSink(all.GetRequiredService<KafkaDeadLetters>()));
        services.AddSingleton<IReplayLog>(all => new KafkaReplayLog(
            kafka.Replay, all.GetRequiredService<TimeProvider>(), all.GetRequiredService<ILoggerFactory>()));
    }
}
