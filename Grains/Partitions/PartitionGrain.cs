using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Windows;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace ClickAggregator.Grains.Partitions;

/// <summary>
/// Counts one partition: the shell around <see cref="PartitionChain"/>. Slabs come from its stream; a loop of its own
/// commits them, batch by batch, and starts over from the record when anything fails.
/// </summary>
[ImplicitStreamSubscription("clicks")]
[PreferLocalPlacement]
[KeepAlive]
internal sealed partial class PartitionGrain(
    [PersistentState("chain", StorageNames.State)] IPersistentState<PartitionDocument> state,
    IPartitionLog log,
    PreviousLog previous,
    IBatchStore batches,
    DeadLetterSink deadLetters,
    CountingOptions options,
    ProgressBoard board,
    RepeatBoard repeats,
    PartitionVoice voice,
    CountingInstruments instruments,
    TimeProvider time,
    ILogger<PartitionGrain> logger) : Grain, IPartitionGrain, IStreamSubscriptionObserver, IAsyncObserver<Slab>, IDisposable
{
    private static readonly TimeSpan LookAtLog = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestOffer = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(1);
    private CancellationTokenSource _stop = new();
    private ChainStateStore _records = null!;
    private PartitionChain? _chain;
    private Task _loop = Task.CompletedTask;
    private long _firstOrder;
    private readonly Dictionary<int, ClosedChain> _closed = [];

    private int Partition => (int)this.GetPrimaryKeyLong();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Started here and not awaited: reading the ids back may take longer than Orleans lets an activation take.
        board.Open(Partition);
        _records = new ChainStateStore(state);
        _loop = RunAsync();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await StopAsync();
        board.Leave(Partition);
    }

    public void Dispose() => _stop.Dispose();

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<Slab>().ResumeAsync(this, PartitionSequenceToken.After(_chain?.Next ?? _records.Known?.Next ?? 0));

    public async Task OnNextAsync(Slab item, StreamSequenceToken? token = null)
    {
        // While it starts, what is delivered is left alone: the loop reads it from the log.
        if (_chain is { IsCounting: true } chain)
        {
            // Not for long where there is no room: a grain that waits is asked nothing else, not even to stop. What is
            // not taken is read from the log once there is.
            using var wait = new CancellationTokenSource(LongestOffer, time);
            try
            {
                await chain.OfferAsync(item, wait.Token);
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    public Task OnErrorAsync(Exception ex)
    {
        if (voice.Said.IsDue((nameof(OnErrorAsync), ex.GetType()), out _))
        {
            LogStream(logger, ForeseenFaults.Stack(ex), Partition, ex.Message);
        }

        return Task.CompletedTask;
    }

    public Task<PartitionProgress> GetProgressAsync() => Task.FromResult(board.Snapshot().First(progress => progress.Partition == Partition));

    public Task TouchAsync() => Task.CompletedTask; // it is awake now, and its loop does the rest

    public async Task<AbandonedLog?> AdoptAsync(string logId, bool giveUpPending)
    {
        if (_chain is { IsCounting: true })
        {
            // By an adoption that was broken off after this partition: the others still wait for theirs.
            if (_records.Known?.Log == logId)
            {
                return null;
            }

            throw new InvalidOperationException($"partition {Partition} counts; there is nothing to adopt");
        }

        // The loop looks at the record now and then: its reading would bring this write's ETag up to date, and the
        // other way round, and neither would notice that somebody else has the partition.
        await StopAsync();
        _stop.Dispose();
        _stop = new CancellationTokenSource();
        try
        {
            using PartitionChain chain = Create(log);
            return await chain.AdoptAsync(logId, giveUpPending, _stop.Token) is { } left ? new AbandonedLog(left.Log, left.Next) : null;
        }
        finally
        {
            _loop = RunAsync();
        }
    }

    public Task<LogClosing> GetClosingAsync(string logId)
    {
        // Only what is stored: whoever asks begins there, and a closing that failed is done again, perhaps further on.
        long? at = _records.Known?.ClosingOf(logId);
        return Task.FromResult(new LogClosing(at is null, at));
    }

    public async Task<long?> CountedToAsync(int chain)
    {
        if (_chain is not { IsCounting: true } counting)
        {
            return null;
        }

        if (counting.Chain != chain)
        {
            return (await FindClosedAsync(chain))?.At;
        }

        return await counting.CountedToAsync(_stop.Token);
    }

    public async Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections)
    {
        if (_chain is not { IsCounting: true } counting || (counting.Chain != chain && await FindClosedAsync(chain) is null))
        {
            return null;
        }

        if (corrections.Any(each => each.Order < _firstOrder))
        {
            return [.. corrections.Select(_ => WindowOutcome.Later)];
        }

        return await counting.CorrectAsync(
            [.. corrections.Select(each => Correction.Of(chain, each))],
            _stop.Token,
            counting.Chain == chain ? null : _closed[chain]);
    }

    public async Task<bool> FenceAsync(int chain, long order)
    {
        // Calls come one at a time: one before this has ended, and one behind it is refused. A partition that wakes up anew has
        // none under way.
        bool counts = _chain is { IsCounting: true } counting && (counting.Chain == chain || await FindClosedAsync(chain) is not null);
        _firstOrder = counts ? Math.Max(_firstOrder, order) : _firstOrder;
        return counts;
    }

    /// <summary>A chain of this partition whose log was closed; null where there is none of that number.</summary>
    private async Task<ClosedChain?> FindClosedAsync(int chain)
    {
        if (!_closed.TryGetValue(chain, out ClosedChain closed))
        {
            RegisteredChain? found = (await GrainFactory.GetGrain<IChainRegistryGrain>(0).GetChainsAsync()).FirstOrDefault(one => one.Number == chain && one.Partition == Partition);
            if (found is null || _records.Known is not { } record || record.Log == found.Log || record.ClosingOf(found.Log) is not long at)
            {
                return null;
            }

            _closed[chain] = closed = new ClosedChain(chain, at);
        }

        return closed;
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            TimeSpan pause = RestartDelay;
            using (PartitionChain chain = Create(log))
            {
                try
                {
                    chain.Source = await ClosePreviousAsync();
                    await GrainFactory.GetGrain<IRollupHistoryGrain>(0).NoteAsync(
                        Partition, (await log.GetLogIdAsync(_stop.Token)).Value, [.. options.Rollups.Select(rollup => rollup.ToString())]);
                    _chain = chain;
                    await chain.StartAsync(_stop.Token);
                    await CountAsync(chain);
                }
                catch (OperationCanceledException) when (_stop.IsCancellationRequested)
                {
                    await FinishAsync(chain);
                    break;
                }
                catch (ChainFencedException error)
                {
                    LogFenced(logger, Partition, error.Message);
                    DeactivateOnIdle();
                    break;
                }
                catch (ChainStoppedException error)
                {
                    // Said already. It looks again now and then: somebody may have acted.
                    await FinishAsync(chain);
                    chain.Abandon(PartitionState.Stopped, error.Message);
                    pause = RestartDelay * 5;
                }
#pragma warning disable CA1031 // whatever went wrong, the record says from where to count again
                catch (Exception error)
#pragma warning restore CA1031
                {
                    SayFailed(error);
                    await FinishAsync(chain);
                    chain.Abandon(PartitionState.Starting, $"starts over after: {Reason(error).Message}");
                }
            }

            try
            {
                await Task.Delay(pause, time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        _chain = null;
    }

    /// <summary>
    /// Counts the log before to its end, once another has taken its place, and closes it there. What is appended to it
    /// from then on comes through the new one.
    /// </summary>
    /// <returns>Where the log before is read from by whoever brings its clicks into the new one; null where there is none.</returns>
    private async Task<ClosedLog?> ClosePreviousAsync()
    {
        if (previous.Log is not { } old || Partition >= await old.GetPartitionCountAsync(_stop.Token))
        {
            return null;
        }

        string oldId = (await old.GetLogIdAsync(_stop.Token)).Value;
        if (await _records.ReadAsync(_stop.Token) is { ClosedAt: null } record && record.Log == oldId)
        {
            // Not before the new one is there: without it this log is all there is.
            await log.GetLogIdAsync(_stop.Token);
            using PartitionChain chain = Create(old);
            await chain.StartAsync(_stop.Token);
            await chain.CountToCloseAsync(_stop.Token);
        }

        return new ClosedLog(oldId, (await old.GetRangeAsync(Partition, _stop.Token)).Start);
    }

    /// <summary>
    /// Says in the record that the last batch is complete. It saves the next owner its replay; and where the log loses the
    /// batch's records, nobody could replay it.
    /// </summary>
    private async Task FinishAsync(PartitionChain chain)
    {
        try
        {
            await chain.FinishAsync(CancellationToken.None);
        }
#pragma warning disable CA1031 // it is only a saving: without it the next owner replays the batch
        catch (Exception error)
#pragma warning restore CA1031
        {
            SayFailed(error);
        }
    }

    /// <summary>A store or a log that fails says why in its message; what nobody foresaw is logged with its stack.</summary>
    private void SayFailed(Exception error)
    {
        Exception reason = Reason(error);
        if (voice.Said.IsDue(reason.GetType(), out long unsaid))
        {
            LogFailed(logger, ForeseenFaults.Stack(reason), Partition, reason.Message, unsaid);
        }
    }

    /// <summary>What happened, without what Orleans says around it: a message with a stack is for nobody who reads a status.</summary>
    private static Exception Reason(Exception error)
    {
        while (error is OrleansException { InnerException: { } inner })
        {
            error = inner;
        }

        return error;
    }

    private async Task CountAsync(PartitionChain chain)
    {
        long lastBatch = 0;
        while (true)
        {
            bool atEnd = false;
            if (!chain.HasWork)
            {
                atEnd = await chain.ReadToEndAsync(_stop.Token);
            }

            if (chain.HasWork)
            {
                // Not too often: each batch writes each of its windows once.
                TimeSpan since = time.GetElapsedTime(lastBatch);
                if (lastBatch != 0 && since < options.BatchInterval && !chain.IsFull)
                {
                    await Task.Delay(options.BatchInterval - since, time, _stop.Token);
                }

                await chain.LookAsync(_stop.Token);
                lastBatch = time.GetTimestamp();
                await chain.CommitAsync(_stop.Token);
            }
            else if (atEnd)
            {
                if (lastBatch == 0 || time.GetElapsedTime(lastBatch) > options.BatchInterval * 4)
                {
                    // Also of corrections, where no batch came before them.
                    await chain.CompleteAsync(_stop.Token);
                }

                await Task.WhenAny(chain.WorkAsync(), Task.Delay(LookAtLog, time, _stop.Token));
                _stop.Token.ThrowIfCancellationRequested();
            }
        }
    }

    private PartitionChain Create(IPartitionLog from) =>
        new(
            Partition,
            options.Chain,
            from,
            _records,
            new GrainRulesStore(GrainFactory),
            new GrainWindowSink(GrainFactory),
            batches,
            async id => await GrainFactory.GetGrain<IChainRegistryGrain>(0).GetNumberAsync(
                id.Value, Partition, await from.GetPartitionCountAsync(_stop.Token)),
            static (rules, chain) => new ClickFolder(rules, chain, new DuplicateSet(rules.Horizon, rules.MaxIds)),
            new CountingRules(
                options.Rollups, options.Horizon, options.MaxIds, retentionDays: options.Retention is TimeSpan days ? Math.Max(1, (int)days.TotalDays) : null),
            time,
            logger,
            board.Post,
            instruments)
        {
            DeadLetters = deadLetters.To,
            Repeats = repeats,
            Said = voice.Said,
        };

    [LoggerMessage(EventId = 2101, Level = LogLevel.Warning, Message = "partition {Partition}: {Message}; this activation ends")]
    private static partial void LogFenced(ILogger logger, int partition, string message);

    [LoggerMessage(EventId = 2102, Level = LogLevel.Error, Message = "partition {Partition} failed, and starts over from its record: {Reason} ({Unsaid} more since this was last said)")]
    private static partial void LogFailed(ILogger logger, Exception? error, int partition, string reason, long unsaid);

    [LoggerMessage(EventId = 2103, Level = LogLevel.Warning, Message = "partition {Partition}: a delivery failed; what is missing is read from the log: {Reason}")]
    private static partial void LogStream(ILogger logger, Exception? error, int partition, string reason);
}
