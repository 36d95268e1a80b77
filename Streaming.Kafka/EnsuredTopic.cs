using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// A provider's topic, made where it is missing and looked at before it is first used. Whoever asks while the brokers are
/// away gets an exception and asks again: a silo starts without them.
/// </summary>
internal sealed class EnsuredTopic(KafkaStreamOptions options, TimeProvider time, ILoggerFactory loggers) : IPartitionLog, IAsyncDisposable
{
    private readonly KafkaPartitionLog _log = new(options.Log, options.Mapping, time, loggers);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile bool _fits = !options.EnsureTopic;
    private bool _disposed;

    /// <exception cref="KafkaLogException">The brokers do not answer, or the topic does not fit: the text says what to do.</exception>
    public async ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken).ConfigureAwait(false);
        return await _log.GetLogIdAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="KafkaLogException">The brokers do not answer, or the topic does not fit: the text says what to do.</exception>
    public async ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken).ConfigureAwait(false);
        return await _log.GetPartitionCountAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken) => _log.GetRangeAsync(partition, cancellationToken);

    public IAsyncEnumerable<Slab> ReadAsync(int partition, long from, long to, CancellationToken cancellationToken) =>
        _log.ReadAsync(partition, from, to, cancellationToken);

    public ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken) =>
        _log.OpenAsync(partition, from, cancellationToken);

    /// <summary>Also twice: it is registered as what it is and as the provider's log.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _disposed, true) ? ValueTask.CompletedTask : _log.DisposeAsync();

    private async ValueTask EnsureAsync(CancellationToken cancellationToken)
    {
        if (_fits)
        {
            return;
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_fits)
            {
                await KafkaTopics.EnsureAsync(options.Log, loggers, time, cancellationToken).ConfigureAwait(false);
                _fits = true;
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
