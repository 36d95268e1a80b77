using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Orleans.Storage;

namespace ClickAggregator.Grains.Erasing;

/// <summary>
/// Sees erasures through, one after the other, in a loop of its own. How far it is stands in its state, written with compare-and-set, so
/// that of two activations one ends; what it does is done by the archives, and repeating it finds what is left. The keepers wake it.
/// </summary>
[PreferLocalPlacement]
[KeepAlive]
internal sealed partial class ErasureGrain(
    [PersistentState("erasures", StorageNames.State)] IPersistentState<ErasuresDocument> state,
    GrainChains chains,
    ReconciliationOptions options,
    ProgressBoard progress,
    SourceProgress sources,
    TimeProvider time,
    ILogger<ErasureGrain> logger) : Grain, IErasureGrain, IDisposable
{
    private const int MostKept = 1000;
    private const int MostWaiting = 100;
    private const int MostFound = 100;
    private const int MostWithFound = 100;
    private const int MostTroubles = 100;

    /// <summary>How far the clocks of those who take clicks may be apart.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _asked = new(0);
    private readonly SemaphoreSlim _writing = new(1);
    private Task _loop = Task.CompletedTask;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private IReconciliationGrain Reconciliation => GrainFactory.GetGrain<IReconciliationGrain>(0);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _loop = RunAsync();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    public void Dispose()
    {
        _stop.Dispose();
        _asked.Dispose();
        _writing.Dispose();
    }

    public Task TouchAsync() => Task.CompletedTask; // it is awake now, and its loop does the rest

    public async Task<Erasure> AskAsync(ErasureRequest request)
    {
        if (request.Reason.Contains(request.UserId, StringComparison.OrdinalIgnoreCase))
        {
            throw new ReconciliationRefusedException("invalid_reason", "the reason stays when the user is gone: it must not hold the user's id");
        }

        if (state.State.Erasures.Count(one => one.Erasure.State <= ErasureState.Running) >= MostWaiting)
        {
            throw new ReconciliationRefusedException("too_many_erasures", $"{MostWaiting} erasures wait already");
        }

        // The loop writes, too: one at a time.
        await _writing.WaitAsync(_stop.Token);
        try
        {
            var erasure = new Erasure(state.State.Next, request.DryRun, request.Reason, request.By, ErasureState.Waiting, Now);
            state.State.Next++;
            state.State.Erasures.Add(new KeptErasure { Erasure = erasure, UserId = request.UserId });
            Trim();
            await state.WriteStateAsync(_stop.Token);
            _asked.Release();
            return erasure;
        }
        catch
        {
            // The memory may differ from the store now, in either direction: the next call reads again.
            DeactivateOnIdle();
            await _stop.CancelAsync();
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    public Task<Erasure?> GetAsync(long number) => Task.FromResult(state.State.Erasures.Find(one => one.Erasure.Number == number)?.Erasure);

    public Task<IReadOnlyList<Erasure>> GetAllAsync(long? below, int limit) => Task.FromResult<IReadOnlyList<Erasure>>(
        [.. state.State.Erasures.Select(one => one.Erasure).Where(one => !(one.Number >= below)).OrderByDescending(one => one.Number).Take(Math.Clamp(limit, 1, MostKept))]);

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            TimeSpan pause = s_lookEvery;
            try
            {
                if (state.State.Erasures.Find(one => one.Erasure.State <= ErasureState.Running) is { } next)
                {
                    await ExecuteAsync(next);
                    continue;
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (InconsistentStateException error)
            {
                LogFenced(logger, error);
                DeactivateOnIdle();
                return;
            }
#pragma warning disable CA1031 // whatever went wrong, the state says where to go on
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogFailed(logger, error);
                pause = await ReadAgainAsync() ? options.RetryDelay : s_lookEvery;
            }

            Task waiting = _asked.WaitAsync(pause, _stop.Token);
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <remarks>
    /// 1. From here on no invalidation is taken that asks for the user, or for a referrer: those that there are get marked on the clicks that
    ///    they fit, and a later one would fit clicks of objects that were not rewritten yet, and not the others.
    /// 2. Clicks that were accepted before it was asked for are on their way. Once they are counted it is known up to where they lie in each chain.
    /// 3. Each chain's archive is looked through, once it reaches so far; what holds the user is rewritten.
    /// 4. What was rewritten is read from the manifests. The user is forgotten.
    /// </remarks>
    private async Task ExecuteAsync(KeptErasure kept)
    {
        string user = kept.UserId ?? throw new InvalidOperationException($"erasure {kept.Erasure.Number} does not know its user any more");
        IReadOnlyList<InvalidationSpan> spans = kept.Erasure.DryRun ? [] : await Reconciliation.BeginErasureAsync(kept.Erasure.Number, user);
        if (kept.Chains.Count == 0)
        {
            foreach (int chain in await chains.AllAsync())
            {
                kept.Chains.Add(new ChainErasure { Chain = chain, FromEntry = (await Archive(chain).GetProgressAsync()).Entries });
            }
        }

        kept.Erasure = kept.Erasure with
        {
            State = ErasureState.Running,
            StartedAt = kept.Erasure.StartedAt ?? Now,
            Chains = kept.Chains.Count,
            Invalidations = [.. spans.Where(span => span.Filter.UserId == user).Select(span => span.Number)],
        };
        await WriteAsync();
        await LimitAsync(kept);
        var found = new Dictionary<string, ErasedObject>(StringComparer.Ordinal);
        if (kept.Erasure.DryRun)
        {
            kept.Chains.ForEach(chain => (chain.Place, chain.IsDone) = ("", false)); // what was found is only in memory
        }

        await LookThroughAsync(kept, user, spans, found);
        await EndAsync(kept, found);
    }

    /// <summary>Learns up to where the clicks lie that were accepted before.</summary>
    private async Task LimitAsync(KeptErasure kept)
    {
        while (kept.Chains.Exists(chain => chain.Upto is null))
        {
            string? waits = await TryLimitAsync(kept);
            await NoteAsync(kept, waits);
            if (waits is not null)
            {
                await Task.Delay(options.RetryDelay, time, _stop.Token);
            }
        }
    }

    private async Task<string?> TryLimitAsync(KeptErasure kept)
    {
        if (!kept.Erasure.DryRun && Counted() < kept.Erasure.AskedAt + s_skew.TotalMilliseconds)
        {
            return "clicks that were accepted before it was asked for are not all counted yet, as far as anybody knows";
        }

        foreach (ChainErasure chain in kept.Chains)
        {
            ArchiveProgress archived = await Archive(chain.Chain).GetProgressAsync();
            if (kept.Erasure.DryRun)
            {
                chain.Upto = archived.Upto;
                continue;
            }

            CountedChain counted = await chains.GetAsync(chain.Chain, _stop.Token);
            if (counted.State == CountedChainState.Standing)
            {
                return $"chain {chain.Chain} is not counted now: {counted.Detail}";
            }

            if (counted.State == CountedChainState.Over && archived.IsLogHere is null)
            {
                return $"the archive of chain {chain.Chain} starts";
            }

            // Of a log that is not here any more nothing will be archived.
            chain.Upto = counted.State == CountedChainState.Over ? (archived.IsLogHere == true ? Math.Min(counted.Next, archived.End) : archived.Upto) : counted.Next;
        }

        kept.Erasure = kept.Erasure with { LoggedUntil = kept.Erasure.DryRun ? null : Now };
        return null;
    }

    /// <summary>Log time until which every partition has counted all that is known to come; 0 where one does not say.</summary>
    private long Counted()
    {
        IReadOnlyList<PartitionProgress> partitions = progress.Snapshot();
        return partitions.Count == 0 || partitions.Any(partition => partition.State != PartitionState.Counting)
            ? 0
            : sources.Until(partitions.Min(partition => partition.CountedUntil));
    }

    private async Task LookThroughAsync(KeptErasure kept, string user, IReadOnlyList<InvalidationSpan> spans, Dictionary<string, ErasedObject> found)
    {
        TimeSpan pause = options.RetryDelay;
        while (kept.Chains.Where(chain => !chain.IsDone).ToList() is { Count: > 0 } left)
        {
            // Each a stretch; those that wait go behind the others.
            string? waits = null;
            bool moved = false;
            foreach (ChainErasure[] wave in left.Chunk(Math.Max(1, options.AtOnce)))
            {
                ErasedStretch[] stretches = await Task.WhenAll(wave.Select(chain => Archive(chain.Chain).EraseAsync(
                    new ErasureOrder(kept.Erasure.Number, kept.Erasure.AskedAt, user, chain.Upto!.Value, kept.Erasure.DryRun, spans), chain.Place, _stop.Token)));
                foreach ((ChainErasure chain, ErasedStretch one) in wave.Zip(stretches))
                {
                    moved |= one.Next != chain.Place;
                    chain.IsDone = one.Next is null;
                    chain.Place = one.Next ?? "";
                    waits = one.Waits is null ? waits : $"chain {chain.Chain}: {one.Waits}";
                    foreach (ErasedObject each in one.Found)
                    {
                        found[each.Key] = each;
                    }

                    kept.Erasure = kept.Erasure with
                    {
                        ObjectsRead = kept.Erasure.ObjectsRead + one.Objects,
                        BytesRead = kept.Erasure.BytesRead + one.Bytes,
                        ChainsDone = kept.Chains.Count(each => each.IsDone),
                        Troubles = [.. kept.Erasure.Troubles.Concat(one.Damaged).Distinct().Take(MostTroubles)],
                    };
                }
            }

            await NoteAsync(kept, waits, always: moved);
            pause = moved ? options.RetryDelay : pause * 2 > s_longestPause ? s_longestPause : pause * 2;
            if (waits is not null && !moved)
            {
                await Task.Delay(pause, time, _stop.Token);
            }
        }
    }

    private async Task EndAsync(KeptErasure kept, Dictionary<string, ErasedObject> found)
    {
        long objects = found.Count;
        long rows = found.Values.Sum(one => one.Rows);
        List<ErasedObject> named = [.. found.Values.OrderBy(one => one.Chain).ThenBy(one => one.Key, StringComparer.Ordinal).Take(MostFound)];
        if (!kept.Erasure.DryRun)
        {
            // The manifests know it also where this grain or an archive was interrupted.
            (objects, rows, named) = (0, 0, []);
            foreach (ChainErasure chain in kept.Chains)
            {
                ErasedObjects erased = await Archive(chain.Chain).GetErasedAsync(kept.Erasure.Number, kept.Erasure.AskedAt, chain.FromEntry, MostFound - named.Count, _stop.Token);
                objects += erased.Count;
                rows += erased.Rows;
                named.AddRange(erased.Objects);
            }

            await Reconciliation.EndErasureAsync(kept.Erasure.Number);
        }

        kept.Erasure = kept.Erasure with
        {
            State = kept.Erasure.Troubles.Count == 0 ? ErasureState.Done : ErasureState.DoneInPart,
            EndedAt = Now,
            Detail = null,
            Objects = objects,
            Rows = rows,
            Found = named,
        };
        kept.UserId = null;
        kept.Chains = [];
        await WriteAsync();
        LogEnded(logger, kept.Erasure.Number, kept.Erasure.State, rows, objects);
    }

    private async Task NoteAsync(KeptErasure kept, string? waits, bool always = true)
    {
        if (always || kept.Erasure.Detail != waits)
        {
            kept.Erasure = kept.Erasure with { Detail = waits };
            await WriteAsync();
        }
    }

    private async Task WriteAsync()
    {
        await _writing.WaitAsync(_stop.Token);
        try
        {
            await state.WriteStateAsync(_stop.Token);
        }
        finally
        {
            _writing.Release();
        }
    }

    private IArchiveGrain Archive(int chain) => GrainFactory.GetGrain<IArchiveGrain>(chain);

    private void Trim()
    {
        List<KeptErasure> all = state.State.Erasures;
        all.RemoveAll(one => one.Erasure.State > ErasureState.Running && one.Erasure.Number <= state.State.Next - 1 - MostKept);
        foreach (KeptErasure old in all.Where(one => one.Erasure.Number < state.State.Next - MostWithFound && one.Erasure.Found.Count > 0))
        {
            old.Erasure = old.Erasure with { Found = [] };
        }
    }

    /// <summary>After a write that may or may not have happened.</summary>
    private async Task<bool> ReadAgainAsync()
    {
        await _writing.WaitAsync(_stop.Token);
        try
        {
            await state.ReadStateAsync(_stop.Token);
            return true;
        }
#pragma warning disable CA1031 // the store is away: the loop looks again
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogFailed(logger, error);
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }

    [LoggerMessage(EventId = 2431, Level = LogLevel.Warning, Message = "another activation has the erasures; this one ends")]
    private static partial void LogFenced(ILogger logger, Exception error);

    [LoggerMessage(EventId = 2432, Level = LogLevel.Warning, Message = "an erasure failed, and goes on from its state")]
    private static partial void LogFailed(ILogger logger, Exception error);

    [LoggerMessage(EventId = 2433, Level = LogLevel.Information, Message = "erasure {Erasure} is {State}: {Rows} clicks in {Objects} objects")]
    private static partial void LogEnded(ILogger logger, long erasure, ErasureState state, long rows, long objects);
}
