using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// A topic as a log, made where it is missing and looked at before it is first used. Whoever asks while the brokers are away
/// gets an exception and asks again: a silo starts without them.
/// </summary>
/// <param name="options">Where the topic is, and what it has to be like.</param>
/// <param name="mapping">What of a record becomes its bytes; by default its value.</param>
/// <param name="ensure">False where the topic is taken as it is.</param>
/// <param name="time">The clock for timeouts.</param>
/// <param name="loggers">Where the log and librdkafka say what happens.</param>
public sealed class EnsuredTopic(
    KafkaLogOptions options, IRecordMapping? mapping, bool ensure, TimeProvider time, ILoggerFactory loggers) : IPartitionLog, IAsyncDisposable
{
    private readonly KafkaPartitionLog _log = new(options, mapping, time, loggers);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile bool _fits = !ensure;
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
                await KafkaTopics.EnsureAsync(options, loggers, time, cancellationToken).ConfigureAwait(false);
                _fits = true;
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
