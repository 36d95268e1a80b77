using ClickAggregator.ClickLog;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Shipper;

/// <summary>
/// Ships a click log to Kafka, each click once. A transaction holds clicks and, in the positions topic, how far the log
/// is shipped with them: both become visible together, or neither. See this folder's README.
/// </summary>
/// <remarks>
/// 1. Connect: a new transactional producer, which fences an older one and ends what that left open; only then read how
///    far the log is shipped; then commit that once more under our own name, so that whoever was fenced can see by whom.
/// 2. Ship: gather clicks of all partitions, add the positions behind them, commit.
/// Whatever fails in 2, or its answer is lost: back to 1, where the truth is. There is no other way to recover.
/// </remarks>
public sealed partial class LogShipper : IDisposable
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    // How long another shipper has to put its name on the positions after it fenced this one.
    private static readonly TimeSpan s_untilNamed = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_sayEvery = TimeSpan.FromMinutes(1);
    private readonly PartitionedClickLog _log;
    private readonly ShipperOptions _options;
    private readonly Func<CancellationToken, ValueTask<IReadOnlyList<long>?>> _first;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _instance = Guid.NewGuid().ToString();
    private readonly string _logId;
    private readonly ShipInstruments _instruments;
    private readonly ShipHistory _history = new();
    private readonly ShipBacklog _backlog;
    private readonly Lazy<long[]> _before;
    private readonly Lock _gate = new();
    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ShipStatus _status = new(ShipState.Connecting, "connecting", [], 0, null);
    private volatile bool _draining;
    private int _waiting;
    private long _saidWaits;

    /// <param name="log">What is shipped.</param>
    /// <param name="options">Where to; valid.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where diagnostics go.</param>
    /// <param name="first">
    /// Asked once, where nothing of the log was ever shipped: per partition where to begin, or null for the log's start.
    /// It may take its time.
    /// </param>
    public LogShipper(
        PartitionedClickLog log, ShipperOptions options, TimeProvider time, ILoggerFactory loggers,
        Func<CancellationToken, ValueTask<IReadOnlyList<long>?>>? first = null)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(options);
        _log = log;
        _options = options;
        _time = time;
        _logger = loggers.CreateLogger<LogShipper>();
        _first = first is null ? _ => new((IReadOnlyList<long>?)null) : cancellationToken =>
        {
            Enter(ShipState.Connecting, "waits until what was counted from the click log itself is counted to its end", null);
            return first(cancellationToken);
        };
        _logId = log.LogId.ToString();
        _backlog = new ShipBacklog(log, time);
        _before = new Lazy<long[]>(ShippedBefore);
        _instruments = new ShipInstruments(Behind);
    }

    /// <summary>How far it is, now.</summary>
    public ShipStatus Status
    {
        get
        {
            lock (_gate)
            {
                return _status;
            }
        }
    }

    /// <summary>Every offset of a partition below this is in Kafka; 0 until that is known.</summary>
    public long ShippedUpto(int partition) => Status.Positions is { Count: > 0 } positions ? positions[partition] : 0;

    /// <summary>
    /// What waits to be shipped now. Until the brokers have said how far the log is shipped, all that may wait does: what lies
    /// behind the note of the last run, or the whole log.
    /// </summary>
    public ShipLag Behind() => _backlog.Behind(Status.Positions is { Count: > 0 } positions ? positions : _before.Value);

    /// <summary>
    /// Every click that was accepted before the answer was in Kafka at a moment; both in milliseconds since the epoch. 0
    /// where that is not known (any more).
    /// </summary>
    public long AcceptedUntil(long moment) => _history.AcceptedUntil(moment);

    /// <summary>Completes when everything that the log holds now is in Kafka.</summary>
    /// <exception cref="ShipperStoppedException">It will not be before somebody acts.</exception>
    public async Task ShippedAsync(CancellationToken cancellationToken)
    {
        long[] ends = [.. Enumerable.Range(0, _log.Partitions).Select(partition => _log.GetRange(partition).End)];
        Interlocked.Increment(ref _waiting);
        try
        {
            while (true)
            {
                Task next;
                lock (_gate)
                {
                    if (_status.Positions.Count > 0 && !ends.Where((end, partition) => end > _status.Positions[partition]).Any())
                    {
                        return;
                    }

                    next = _status.State == ShipState.Stopped
                        ? throw new ShipperStoppedException(_status.Detail ?? "shipping stands still")
                        : _progress.Task;
                }

                await next.WaitAsync(cancellationToken);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>From now on <see cref="RunAsync"/> ends when everything is shipped. Nothing may be appended any more.</summary>
    public void Drain() => _draining = true;

    /// <summary>
    /// Ships until cancelled or drained. It ends, with the reason in <see cref="Status"/>, where it may not go on: another
    /// shipper has this log, or the log is not the one that was shipped.
    /// </summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        // A thread of its own: librdkafka's transactional calls block.
        Task.Factory.StartNew(() => Run(cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public void Dispose() => _instruments.Dispose();

    private void Run(CancellationToken cancellationToken)
    {
        TimeSpan pause = s_firstPause;
        bool fenced = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (fenced)
                {
                    RequireOurs(cancellationToken);
                    fenced = false;
                }

                using var session = ShipSession.Connect(_log, _options, _instance, _time, _logger, _first, cancellationToken);
                Enter(ShipState.Shipping, null, session.Positions);
                LogShipping(_logger, _logId, _options.Topic, string.Join(' ', session.Positions));
                while (!cancellationToken.IsCancellationRequested)
                {
                    bool draining = _draining; // before the look at the log: what was appended until then is seen by it
                    bool shipped = session.ShipOne(() => Volatile.Read(ref _waiting) > 0 || _draining, cancellationToken);
                    Note(session, shipped);
                    pause = s_firstPause;
                    if (draining && session.IsAtEnd)
                    {
                        session.Remember(ended: true);
                        return;
                    }
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (TopicUnfitException unfit) when (_options.WaitsForTopic || Status.Positions.Count > 0)
            {
                _instruments.Failed();
                SayWaits(unfit);
                Enter(ShipState.Connecting, unfit.Message, null);
                cancellationToken.WaitHandle.WaitOne(s_longestPause);
            }
            catch (ShipperStoppedException stopped)
            {
                LogStopped(_logger, _logId, stopped.Message);
                Enter(ShipState.Stopped, stopped.Message, null);
                return;
            }
            catch (KafkaException error)
            {
                _instruments.Failed();
                ShipState before = Status.State;
                Enter(ShipState.Connecting, error.Error.Reason, null);
                if (IsFenced(error))
                {
                    // By whom is asked at once, and said when it is known.
                    fenced = true;
                    continue;
                }

                // Once for each run of failures: librdkafka says the rest.
                if (before == ShipState.Shipping || pause == s_firstPause)
                {
                    LogFailed(_logger, _logId, error.Error.Reason, null);
                }

                cancellationToken.WaitHandle.WaitOne(pause);
                pause = Longer(pause);
            }
#pragma warning disable CA1031 // whatever it is, a log that cannot be read or a silo that still starts, the topic says where to go on
            catch (Exception error)
#pragma warning restore CA1031
            {
                _instruments.Failed();
                LogFailed(_logger, _logId, error.Message, error);
                Enter(ShipState.Connecting, error.Message, null);
                cancellationToken.WaitHandle.WaitOne(pause);
                pause = Longer(pause);
            }
        }
    }

    private static bool IsFenced(KafkaException error) =>
        error.Error.Code is ErrorCode.Local_Fenced or ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch;

    /// <summary>
    /// Fenced by another shipper, which puts its name on the positions; or only because this process stood still for longer than
    /// the broker keeps a transaction open.
    /// </summary>
    /// <exception cref="ShipperStoppedException">Another one has this log.</exception>
    private void RequireOurs(CancellationToken cancellationToken)
    {
        long began = _time.GetTimestamp();
        while (true)
        {
            bool last = _time.GetElapsedTime(began) >= s_untilNamed;
            ShipSession.ThrowIfReplaced(_log, _options, _instance, cancellationToken);
            if (last)
            {
                LogStoodStill(_logger, _logId);
                return;
            }

            cancellationToken.WaitHandle.WaitOne(s_firstPause);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Now and then: the topic may stay as it is for a long time.</summary>
    private void SayWaits(TopicUnfitException unfit)
    {
        if (_saidWaits == 0 || _time.GetElapsedTime(_saidWaits) >= s_sayEvery)
        {
            _saidWaits = _time.GetTimestamp();
            LogWaits(_logger, _logId, unfit.Message);
        }
    }

    private long[] ShippedBefore()
    {
        try
        {
            if (ShipNote.Read(_options.NoteFile, _logId) is { } note && note.Offsets.Length == _log.Partitions)
            {
                return note.Offsets;
            }
        }
        catch (Exception error) when (error is ShipperStoppedException or IOException or UnauthorizedAccessException)
        {
            // Whoever ships from it says so.
        }

        return new long[_log.Partitions];
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < s_longestPause ? pause * 2 : s_longestPause;

    private void Note(ShipSession session, bool shipped)
    {
        if (session.AcceptedUntil > 0)
        {
            _history.Note(_time.GetUtcNow().ToUnixTimeMilliseconds(), session.AcceptedUntil);
        }

        lock (_gate)
        {
            _status = _status with
            {
                Positions = shipped ? [.. session.Positions] : _status.Positions,
                Clicks = _status.Clicks + (shipped ? session.LastRecords : 0),
                LastShipped = shipped ? _time.GetUtcNow().ToUnixTimeMilliseconds() : _status.LastShipped,
            };
        }

        if (shipped)
        {
            _instruments.Committed(session.LastRecords);
            Pulse();
        }
    }

    private void Enter(ShipState state, string? detail, IReadOnlyList<long>? positions)
    {
        lock (_gate)
        {
            _status = _status with { State = state, Detail = detail, Positions = positions is null ? _status.Positions : [.. positions] };
        }

        Pulse();
    }

    private void Pulse()
    {
        TaskCompletionSource progress;
        lock (_gate)
        {
            progress = _progress;
            _progress = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        progress.SetResult();
    }

    [LoggerMessage(1301, LogLevel.Information, "shipping the click log {Log} to {Topic}, from [{Positions}]")]
    private static partial void LogShipping(ILogger logger, string log, string topic, string positions);

    [LoggerMessage(1302, LogLevel.Error, "shipping of the click log {Log} stands still: {Reason}")]
    private static partial void LogStopped(ILogger logger, string log, string reason);

    [LoggerMessage(1303, LogLevel.Warning, "shipping of the click log {Log} failed, and goes on from what is committed once the brokers answer: {Reason}")]
    private static partial void LogFailed(ILogger logger, string log, string reason, Exception? error);

    [LoggerMessage(1304, LogLevel.Error, "the click log {Log} is not shipped until somebody acts: {Reason}")]
    private static partial void LogWaits(ILogger logger, string log, string reason);

    [LoggerMessage(1305, LogLevel.Warning, "shipping of the click log {Log} stood still for longer than the brokers keep a transaction open (Shipper:TransactionTimeout), and goes on from what is committed")]
    private static partial void LogStoodStill(ILogger logger, string log);
}
