using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>Makes the parts of one provider for Orleans.</summary>
internal sealed class PartitionAdapterFactory(
    string name,
    IPartitionLog log,
    IReaderStart start,
    PartitionStreamOptions options,
    IItemReader? items,
    IItemWriter? writer,
    TimeProvider time,
    ILoggerFactory loggers)
    : IQueueAdapterFactory
{
    private PartitionAdapter? _adapter;

    private PartitionAdapter Adapter =>
        _adapter ?? throw new InvalidOperationException($"the adapter of stream provider '{name}' is not created yet");

    public static PartitionAdapterFactory Create(IServiceProvider services, string name) =>
        new(
            name,
            KeyedOrPlain<IPartitionLog>(services, name),
            KeyedOrPlain<IReaderStart>(services, name),
            services.GetRequiredService<IOptionsMonitor<PartitionStreamOptions>>().Get(name),
            services.GetKeyedService<IItemReader>(name),
            services.GetKeyedService<IItemWriter>(name),
            services.GetService<TimeProvider>() ?? TimeProvider.System,
            services.GetRequiredService<ILoggerFactory>());

    internal static T KeyedOrPlain<T>(IServiceProvider services, string name) where T : class =>
        services.GetKeyedService<T>(name) ?? services.GetRequiredService<T>();

    /// <summary>Without partitions at first: the log may be away, and the silo starts all the same.</summary>
    public Task<IQueueAdapter> CreateAdapter()
    {
        var mapper = new PartitionQueueMapper(name, options.Namespace);
        _adapter = new PartitionAdapter(name, log, start, options, mapper, items, writer, time, loggers);
        return Task.FromResult<IQueueAdapter>(_adapter);
    }

    public Task<IQueueAdapter> CreateAdapter(CancellationToken cancellationToken) => CreateAdapter();

    public IQueueAdapterCache GetQueueAdapterCache() => Adapter;

    public IStreamQueueMapper GetStreamQueueMapper() => Adapter.Mapper;

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) =>
        Task.FromResult<IStreamFailureHandler>(new NoOpStreamDeliveryFailureHandler());
}
