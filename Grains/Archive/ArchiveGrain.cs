using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Archives one chain: the shell around <see cref="ChainArchive"/>. A loop of its own takes step after step, and starts over from the
/// record when anything fails. Where the chain's log is not here any more it only answers.
/// </summary>
[KeepAlive]
internal sealed partial class ArchiveGrain(
    [PersistentState("archive", StorageNames.State)] IPersistentState<ArchiveDocument> state,
    IPartitionLog log,
    PreviousLog previous,
    IArchiveObjects objects,
    IClickFiles files,
    ArchiveOptions options,
    CountingOptions counting,
    ArchiveGate gate,
    ArchiveBoard board,
    RepeatBoard repeats,
    ArchiveInstruments instruments,
    TimeProvider time,
    ILogger<ArchiveGrain> logger) : Grain, IArchiveGrain, IDisposable
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_stretch = TimeSpan.FromSeconds(10);
    private const int MostFound = 100;
    private const int LooksInRetention = 10;
    private readonly CancellationTokenSource _stop = new();

    // Between two tries it looks how far it trails, and the log may forget soon.
    private readonly TimeSpan _longestPause = options.LogRetention is { } kept && kept / LooksInRetention < s_longestPause ? kept / LooksInRetention : s_longestPause;
    private readonly ArchiveAlarm _alarm = new(options, time, logger);
    private ArchiveStateStore _records = null!;
    private GrainArchiveDays _days = null!;
    private ManifestWatch _manifest = null!;
    private ArchiveChain? _chain;
    private ChainArchive? _archive;
    private bool _isCurrent;
    private bool? _isLogHere;
    private long? _closedAt;
    private LogRange _range;
    private string? _detail;
    private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    // What is asked of the archive beside its own steps, in turn with them; what fails ends this owner, so the others fail with it.
    private readonly Queue<(Func<ChainArchive, Task> Run, Action<Exception> Fail)> _turns = new();
    private TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int Chain => (int)this.GetPrimaryKeyLong();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Not awaited: it may have an object to make first.
        _records = new ArchiveStateStore(state);
        _days = new GrainArchiveDays(GrainFactory);
        _manifest = new ManifestWatch(objects, () => Known, found => board.PostDamage(Chain, found), time, logger);
        _loop = RunAsync();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop;
        FailTurns(new OperationCanceledException("the archive of the chain ends here"));
        board.Leave(Chain);
        repeats.Leave(Chain);
    }

    public void Dispose() => _stop.Dispose();

    public Task TouchAsync() => Task.CompletedTask; // it is awake now, and its loop does the rest

    public Task<ArchiveProgress> GetProgressAsync()
    {
        ArchiveRecord? record = Known;
        return Task.FromResult(new ArchiveProgress(
            Chain,
            record?.Chain.Log ?? _chain?.Log ?? "",
            record?.Chain.Partition ?? _chain?.Partition ?? 0,
            record?.Upto ?? 0,
            Math.Max(_range.End, record?.Upto ?? 0),
            _range.Start,
            record?.Until ?? 0,
            record?.Entries ?? 0,
            Detail,
            record?.Lost ?? [],
            _isLogHere));
    }

    public async Task<long?> GetLogEndAsync() =>
        _isCurrent && _archive is { } archive ? (await log.GetRangeAsync(archive.Chain.Partition, _stop.Token)).Head : null;

    public Task<ArchivedHour> GetHourAsync(int hour) => Known is null
        ? Task.FromResult(new ArchivedHour(0, []))
        : ArchivedHours.FindAsync(() => Known!, _days, hour, ArchiveFaults.None, _stop.Token);

    public Task<IReadOnlyList<int>> GetHoursAsync(IReadOnlyList<int> days) => Known is { } record
        ? ArchivedHours.ListAsync(record, _days, days, _stop.Token)
        : Task.FromResult<IReadOnlyList<int>>([]);

    public async Task<ErasedStretch> EraseAsync(ErasureOrder order, string after, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        long looked = 0;
        long bytes = 0;
        var found = new List<ErasedObject>();
        var damaged = new List<string>();
        string at = after;
        while (true)
        {
            ErasedStretch one;
            try
            {
                one = await InTurnAsync(archive => archive.EraseNextAsync(order, at, _stop.Token));
            }
#pragma warning disable CA1031 // the caller may be another silo, which does not know the exceptions of archives; it asks again
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                return new ErasedStretch(at, error.Message, looked, bytes, found, damaged);
            }

            looked += one.Objects;
            bytes += one.Bytes;
            found.AddRange(one.Found);
            damaged.AddRange(one.Damaged);
            if (one.Next is null || one.Waits is not null || cancellationToken.IsCancellationRequested || time.GetElapsedTime(began) >= s_stretch || found.Count + damaged.Count >= MostFound)
            {
                return new ErasedStretch(one.Next, one.Waits, looked, bytes, found, damaged);
            }

            at = one.Next;
        }
    }

    public async Task<ErasedObjects> GetErasedAsync(long erasure, long askedAt, long afterEntry, int limit, CancellationToken cancellationToken) =>
        Known is { } record ? await ChainArchive.FindErasedAsync(objects, record, erasure, askedAt, afterEntry, limit, cancellationToken) : new ErasedObjects([], 0, 0);

    public async Task<IReadOnlyList<string>> CheckManifestAsync(bool asked)
    {
        try
        {
            await _tried.Task.WaitAsync(_stop.Token); // only then the record is that of the archive that is here
            return await _manifest.LookAsync(asked, _stop.Token);
        }
        catch (ArchiveUnavailableException)
        {
            return _manifest.Faults; // whoever asks reads its objects, too, and says that it cannot
        }
    }

    private Task<T> InTurnAsync<T>(Func<ChainArchive, Task<T>> run)
    {
        if (_stop.IsCancellationRequested)
        {
            throw new OperationCanceledException("the archive of the chain ends here");
        }

        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _turns.Enqueue((async archive => answer.SetResult(await run(archive)), error => answer.TrySetException(error)));
        _asked.TrySetResult();
        return answer.Task;
    }

    private async Task<bool> TakeTurnAsync(ChainArchive archive)
    {
        if (!_turns.TryDequeue(out (Func<ChainArchive, Task> Run, Action<Exception> Fail) turn))
        {
            return false;
        }

        try
        {
            await turn.Run(archive);
        }
        catch (Exception error)
        {
            turn.Fail(error);
            throw;
        }

        return true;
    }

    private void FailTurns(Exception error)
    {
        while (_turns.TryDequeue(out (Func<ChainArchive, Task> Run, Action<Exception> Fail) turn))
        {
            turn.Fail(error);
        }
    }

    /// <summary>Until that is over, or something is asked.</summary>
    private async Task PauseAsync(TimeSpan pause)
    {
        if (_turns.Count == 0)
        {
            _asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            await Task.WhenAny(Task.Delay(pause, time, over.Token), _asked.Task);
            await over.CancelAsync();
        }
    }

    // What holds it up, and what is wrong with its manifest, which holds up nothing.
    private string? Detail => string.Join("; ", _manifest.Faults.Where(fault => _detail?.Contains(fault, StringComparison.Ordinal) != true).Prepend(_detail).OfType<string>()) is { Length: > 0 } detail
        ? detail
        : null;

    // As the protocol knows it to be complete, or as it is stored.
    private ArchiveRecord? Known => _records.Known;

    private async Task RunAsync()
    {
        TimeSpan pause = s_firstPause;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (await OpenAsync() is not { } archive)
                {
                    _isLogHere = false;
                    await RewriteAsync();
                    pause = _longestPause;
                }
                else
                {
                    ChainArchive? before = _archive;
                    _archive = archive;
                    await archive.StartAsync(_stop.Token, before);
                    _range = archive.Range;
                    _isLogHere = true;
                    _tried.TrySetResult();
                    pause = s_firstPause;
                    await GoOnAsync(archive);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                break;
            }
            catch (ChainFencedException error)
            {
                LogFenced(logger, Chain, error.Message);
                await _stop.CancelAsync();
                FailTurns(error);
                DeactivateOnIdle();
                break;
            }
            catch (ChainStoppedException error)
            {
                // It looks again now and then: somebody may have acted.
                if (_detail != error.Message)
                {
                    LogStopped(logger, _chain!.Partition, error.Message);
                }

                _detail = error.Message;
                FailTurns(error);
                pause = _longestPause;
            }
#pragma warning disable CA1031 // whatever went wrong, the record says from where to go on
            catch (Exception error)
#pragma warning restore CA1031
            {
                if (_detail is null)
                {
                    LogFailed(logger, ForeseenFaults.Stack(error), Chain, error.Message);
                }

                _detail = $"tried again: {error.Message}";
                FailTurns(error);
            }

            _tried.TrySetResult();
            _manifest.LookIfDue(_stop.Token);
            await LookAsync();
            await PauseAsync(pause);
            pause = pause * 2 > _longestPause ? _longestPause : pause * 2;
        }
    }

    private async Task GoOnAsync(ChainArchive archive)
    {
        while (true)
        {
            _manifest.LookIfDue(_stop.Token);
            bool did = await archive.StepAsync(_stop.Token);
            did |= await TakeTurnAsync(archive);
            _detail = archive.Damaged.Count > 0 ? $"damaged or gone: {string.Join(", ", archive.Damaged.Take(10))}" : null;
            Post(archive);
            if (!did)
            {
                await PauseAsync(options.Poll);
                _stop.Token.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>What was archived of a log that is not here any more: nothing is written or moved, but what is asked is done.</summary>
    private async Task RewriteAsync()
    {
        if (_turns.Count == 0)
        {
            return;
        }

        if (_chain is not { } chain)
        {
            FailTurns(new InvalidOperationException("no chain of this number is known"));
            return;
        }

        ChainArchive archive = Open(chain, new AbsentLog(chain.Log), static (_, _) => new(0L));
        await archive.StartAsync(_stop.Token);
        while (await TakeTurnAsync(archive))
        {
            await archive.TidyAsync(_stop.Token);
        }
    }

    /// <summary>The archive of this chain; null where its log is not here.</summary>
    private async Task<ChainArchive?> OpenAsync()
    {
        _chain ??= await FindAsync();
        if (_chain is not { } chain)
        {
            _detail = "no chain of this number is known";
            return null;
        }

        IPartitionLog from;
        Func<LogRange, CancellationToken, ValueTask<long>> limit;
        if ((await log.GetLogIdAsync(_stop.Token)).Value == chain.Log)
        {
            from = log;
            limit = static (range, _) => new(range.End);
            _isCurrent = true;
        }
        else if (previous.Log is { } old && (await old.GetLogIdAsync(_stop.Token)).Value == chain.Log)
        {
            from = old;
            limit = ClosingAsync;
            _isCurrent = false;
        }
        else
        {
            _isCurrent = false;
            _detail = null; // what was archived of it can be asked for, and that is all
            return null;
        }

        return Open(chain, from, limit);
    }

    private ChainArchive Open(ArchiveChain chain, IPartitionLog from, Func<LogRange, CancellationToken, ValueTask<long>> limit) =>
        new(
            chain,
            options,
            new DuplicateRule(counting.Horizon, counting.MaxIds),
            from,
            limit,
            new ArchiveStores(_records, _days, objects),
            files,
            gate,
            time,
            logger,
            instruments)
        {
            Repeats = repeats,
        };

    private async Task<ArchiveChain?> FindAsync()
    {
        IReadOnlyList<RegisteredChain> chains = await GrainFactory.GetGrain<IChainRegistryGrain>(0).GetChainsAsync();
        RegisteredChain? found = chains.FirstOrDefault(one => one.Number == Chain);
        return found is null ? null : new ArchiveChain(found.Log, found.Partition, found.Number);
    }

    /// <summary>
    /// A log that another took the place of is archived to where it was closed: what is behind comes through the other. Until that is
    /// known nothing more of it is.
    /// </summary>
    private async ValueTask<long> ClosingAsync(LogRange range, CancellationToken cancellationToken)
    {
        if (_closedAt is null)
        {
            LogClosing closing = await GrainFactory.GetGrain<IPartitionGrain>(_chain!.Partition).GetClosingAsync(_chain.Log);
            if (closing.IsPending)
            {
                return 0;
            }

            _closedAt = closing.At ?? 0;
        }

        return _closedAt.Value;
    }

    /// <summary>While nothing can be archived it has to be known how far behind it is, all the more.</summary>
    private async Task LookAsync()
    {
        if (_archive is { } archive && !_stop.IsCancellationRequested)
        {
            try
            {
                await archive.LookAsync(_stop.Token);
            }
#pragma warning disable CA1031 // the log may be what fails
            catch (Exception)
#pragma warning restore CA1031
            {
                // what was known stands, and grows older
            }

            Post(archive);
        }
    }

    private void Post(ChainArchive archive)
    {
        ArchiveRecord record = archive.Record;
        _range = archive.Range;
        long records = Math.Max(0, (_isCurrent ? _range.End : _closedAt ?? _range.End) - record.Upto);
        double seconds = records > 0 && archive.OldestWaiting is long oldest ? Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - oldest) / 1000.0 : 0;
        bool isDone = !_isCurrent && _closedAt is not null && records == 0;
        long needed = isDone ? long.MaxValue : Math.Min(record.DedupFrom, record.Upto);
        var lag = new ArchiveLag(archive.Chain, _isCurrent, records, seconds, Known is null ? 0 : needed, Detail);
        board.Post(lag);
        _alarm.Look(lag with { Detail = _detail });
    }

    [LoggerMessage(EventId = 2411, Level = LogLevel.Warning, Message = "the archive of chain {Chain}: {Message}; this activation ends")]
    private static partial void LogFenced(ILogger logger, int chain, string message);

    [LoggerMessage(EventId = 2412, Level = LogLevel.Error, Message = "the archive of partition {Partition} stands still: {Message}")]
    private static partial void LogStopped(ILogger logger, int partition, string message);

    [LoggerMessage(EventId = 2413, Level = LogLevel.Error, Message = "the archive of chain {Chain} failed, and is tried again from its record: {Reason}")]
    private static partial void LogFailed(ILogger logger, Exception? error, int chain, string reason);
}
