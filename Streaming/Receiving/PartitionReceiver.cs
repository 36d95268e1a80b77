using ClickAggregator.Streaming.Caching;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Receiving;

/// <summary>
/// Reads one partition for its agent, a slab at a time, and commits nothing: progress is the consumer's to store.
/// It never throws on a fault of the log, because the agent would then wait ten seconds and more: it logs, waits
/// itself, and goes on where it stood.
/// </summary>
/// <remarks>Used by one agent, on its scheduler; awaits come back to it.</remarks>
internal sealed class PartitionReceiver(
    int partition,
    Func<Slab, SlabContainer> contain,
    IPartitionLog log,
    IReaderStart start,
    SlabCache cache,
    int maxSlabBytes,
    StreamInstruments instruments,
    TimeProvider time,
    SeldomSaid said,
    ILogger<PartitionReceiver> logger)
    : IQueueAdapterReceiver
{
    // One for all: a look at an idle log allocates no list.
    private static readonly IList<IBatchContainer> s_nothing = Array.Empty<IBatchContainer>();
    private readonly ReceiverLog _log = new(logger, partition, said);
    private readonly Backoff _backoff = new(time);
    private IPartitionReader? _reader;
    private int _readerEpoch;

    // Where the log was last asked to read.
    private long _from;

    /// <summary>Nothing yet: the log or the store behind <see cref="IReaderStart"/> may be away for the moment.</summary>
    public Task Initialize(TimeSpan timeout) => Task.CompletedTask;

    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) =>
        GetQueueMessagesAsync(maxCount, CancellationToken.None);

    public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken)
    {
        if (!cache.HasRoom || _backoff.IsWaiting)
        {
            return s_nothing;
        }

        try
        {
            SlabContainer? container = await ReadAsync(cancellationToken);
            _backoff.Reset();
            if (container is null)
            {
                return s_nothing;
            }

            instruments.Read(container.Slab);
            return [container];
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OffsetOutOfRangeException fault)
        {
            LeaveLostRange(fault);
        }
        catch (Exception fault)
        {
            _log.ReadFailed(_backoff.Wait(), fault);
        }

        instruments.ReadFailed();
        await CloseAsync();
        return s_nothing;
    }

    /// <summary>Commits nothing: delivered is not processed.</summary>
    public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

    public async Task Shutdown(TimeSpan timeout)
    {
        await CloseAsync();
        cache.Clear();
    }

    private async ValueTask<SlabContainer?> ReadAsync(CancellationToken cancellationToken)
    {
        cache.SkipProcessed();
        if (_reader is null || _readerEpoch != cache.Epoch)
        {
            await OpenAsync(cancellationToken);
        }

        IPartitionReader reader = _reader!;
        int epoch = _readerEpoch;
        _from = reader.Position;
        Slab? slab = await reader.ReadAsync(maxSlabBytes, cancellationToken);
        if (slab is null || slab.To == slab.From)
        {
            slab?.Release();
            return null;
        }

        if (slab.From != _from || slab.To < slab.From)
        {
            slab.Release();
            throw new InvalidDataException(
                $"the log's reader stood at {_from} and returned a slab of [{slab.From}, {slab.To})");
        }

        SlabContainer container = contain(slab);
        container.Epoch = epoch;
        return container;
    }

    private async ValueTask OpenAsync(CancellationToken cancellationToken)
    {
        await CloseAsync();
        // The cache may move the receiver while this waits: then the epoch is older, and the next read opens again.
        _readerEpoch = cache.Epoch;
        _from = cache.Next ?? await start.GetStartAsync(partition, cancellationToken);
        _reader = await log.OpenAsync(partition, _from, cancellationToken);
        if (_readerEpoch == cache.Epoch)
        {
            cache.ReadFrom(_from);
        }
    }

    private void LeaveLostRange(OffsetOutOfRangeException fault)
    {
        LogRange held = fault.Held;
        if (_from > held.End)
        {
            // The log is shorter than what was counted from it. Reading on from its end would count other records
            // under the same offsets: stay, and say so until somebody acts.
            _log.BeyondEnd(_from, held.End, _backoff.Wait(), fault);
        }
        else if (_from < held.Start)
        {
            // The consumer sees the gap between the slab before and the one that starts here.
            _log.RangeLost(_from, held.Start, fault);
            if (_readerEpoch == cache.Epoch)
            {
                cache.LeaveBehind(held.Start);
            }
        }
        else
        {
            _log.ReadFailed(_backoff.Wait(), fault);
        }
    }

    private async ValueTask CloseAsync()
    {
        if (_reader is { } reader)
        {
            _reader = null;
            try
            {
                await reader.DisposeAsync();
            }
            catch (Exception fault)
            {
                _log.CloseFailed(fault);
            }
        }
    }
}
