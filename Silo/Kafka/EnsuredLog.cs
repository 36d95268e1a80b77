using ClickAggregator.Streaming;
using ClickAggregator.Streaming.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Silo.Kafka;

/// <summary>
/// The topic of clicks, made where it is missing and looked at before anything is counted from it. The brokers may be away
/// when the program starts: whoever asks too early gets an exception and asks again.
/// </summary>
internal sealed class EnsuredLog(KafkaLogOptions options, TimeProvider time, ILoggerFactory loggers) : IPartitionLog, IAsyncDisposable
{
    private readonly KafkaPartitionLog _log = new(options, null, time, loggers);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile bool _fits;

    /// <exception cref="KafkaLogException">The brokers do not answer, or the topic does not fit: the text says what to do.</exception>
    public async ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        return await _log.GetLogIdAsync(cancellationToken);
    }

    /// <exception cref="KafkaLogException">The brokers do not answer, or the topic does not fit: the text says what to do.</exception>
    public async ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        return await _log.GetPartitionCountAsync(cancellationToken);
    }

    public ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken) => _log.GetRangeAsync(partition, cancellationToken);

    public IAsyncEnumerable<Slab> ReadAsync(int partition, long from, long to, CancellationToken cancellationToken) =>
        _log.ReadAsync(partition, from, to, cancellationToken);

    public ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken) =>
        _log.OpenAsync(partition, from, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _log.DisposeAsync();
        _turn.Dispose();
    }

    private async ValueTask EnsureAsync(CancellationToken cancellationToken)
    {
        if (_fits)
        {
            return;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (!_fits)
            {
                await KafkaTopics.EnsureAsync(options, loggers, time, cancellationToken);
                _fits = true;
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
