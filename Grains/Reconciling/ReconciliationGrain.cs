using System.Globalization;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Orleans.Storage;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>
/// Plans runs and sees them through, one at a time, in a loop of its own; what it says and gives out is stored first, with
/// compare-and-set, so that of two activations one ends.
/// </summary>
[PreferLocalPlacement]
[KeepAlive]
internal sealed partial class ReconciliationGrain(
    [PersistentState("position", StorageNames.State)] IPersistentState<PositionDocument> position,
    [PersistentState("runs", StorageNames.State)] IPersistentState<RunsDocument> runs,
    [PersistentState("invalidations", StorageNames.State)] IPersistentState<InvalidationsDocument> invalidations,
    [PersistentState("periods", StorageNames.State)] IPersistentState<PeriodsDocument> periods,
    ILedgerStore ledger,
    GrainChains chains,
    IArchiveObjects objects,
    CountingOptions counting,
    ReconciliationOptions options,
    ReconciliationInstruments instruments,
    LedgerBoard board,
    ProgressBoard progress,
    SourceProgress sources,
    TimeProvider time,
    ILogger<ReconciliationGrain> logger) : Grain, IReconciliationGrain, IRemindable, IDisposable
{
    private const string Reminder = "reconcile";
    private const long HourMilliseconds = 3_600_000;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(5);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _asked = new(0);
    private Task _loop = Task.CompletedTask;
    private bool _reminded;

    // What is stored, not what is about to be: others act on what is said.
    private LedgerPosition _position;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The first hour that is too young to be recounted.</summary>
    private int YoungFrom => (int)Math.Floor((Now - options.Young.TotalMilliseconds) / HourMilliseconds);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        NotePosition();
        _loop = RunAsync();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loop, _sweeping ?? Task.CompletedTask).WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    public void Dispose()
    {
        _stop.Dispose();
        _asked.Dispose();
    }

    public Task TouchAsync() => Task.CompletedTask; // it is awake now, and its loop does the rest

    public Task ReceiveReminder(string reminderName, TickStatus status) => Task.CompletedTask;

    public Task<LedgerPosition> GetPositionAsync() => Task.FromResult(_position);

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            TimeSpan pause = LookEvery;
            try
            {
                await RemindAsync();
                await EnqueueMissingAsync();
                pause = await SweepAsync();
                await PlanAsync();
                if (runs.State.Runs.FirstOrDefault(run => run.Run.State <= RunState.Running && !(run.Run.NotBefore > Now) && !IsSearching(run.Run)) is { } next)
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
                pause = options.RetryDelay;
                if (!await ReadAgainAsync())
                {
                    pause = LookEvery;
                }
            }

            Task waiting = _asked.WaitAsync(pause, _stop.Token);
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>After a write that may or may not have happened.</summary>
    private async Task<bool> ReadAgainAsync()
    {
        try
        {
            await position.ReadStateAsync();
            await runs.ReadStateAsync();
            await invalidations.ReadStateAsync();
            await periods.ReadStateAsync();
            NotePosition();
            return true;
        }
#pragma warning disable CA1031 // the store is away: the loop looks again
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogFailed(logger, error);
            return false;
        }
    }

    private async Task RemindAsync()
    {
        if (_reminded)
        {
            return;
        }

        try
        {
            await this.RegisterOrUpdateReminder(Reminder, ReminderPeriod, ReminderPeriod);
            _reminded = true;
        }
#pragma warning disable CA1031 // the silo's reminders are starting; the keepers wake it meanwhile
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogNoReminder(logger, error);
        }
    }

    private async Task WritePositionAsync()
    {
        await position.WriteStateAsync();
        NotePosition();
    }

    private void NotePosition()
    {
        LostHistory[] lost = [.. from run in runs.State.Runs where run.Proof is { MissingRows: > 0 } select new LostHistory(run.Run.Number, run.Proof!.AfterVersion, run.Proof.ToVersion, run.Proof.MissingRows)];
        _position = new LedgerPosition(position.State.Through ?? int.MinValue, position.State.Version)
        {
            Lost = lost.Length == 0 ? null : lost,
            Unsettled = position.State.Unsettled.Count == 0 ? null : [.. position.State.Unsettled],
        };
        board.Hear(_position);
    }

    private void Wake() => _asked.Release();

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Time(int hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600L).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    [LoggerMessage(EventId = 2521, Level = LogLevel.Warning, Message = "another activation has the ledger; this one ends")]
    private static partial void LogFenced(ILogger logger, Exception error);

    [LoggerMessage(EventId = 2522, Level = LogLevel.Warning, Message = "reconciliation failed, and goes on from its state")]
    private static partial void LogFailed(ILogger logger, Exception error);

    [LoggerMessage(EventId = 2523, Level = LogLevel.Debug, Message = "no reminder could be set yet")]
    private static partial void LogNoReminder(ILogger logger, Exception error);

    [LoggerMessage(EventId = 2524, Level = LogLevel.Information, Message = "run {Run} ({Reason}) over {Hours} hours of chains is {State}: {Corrections} windows corrected, {Changed} clicks changed")]
    private static partial void LogEnded(ILogger logger, long run, string reason, int hours, RunState state, long corrections, long changed);

    [LoggerMessage(EventId = 2525, Level = LogLevel.Warning, Message = "run {Run} could not do hour {Hour} of chain {Chain}: {Code}: {Message}")]
    private static partial void LogTrouble(ILogger logger, long run, string hour, int chain, string code, string message);
}
