using System.Threading.Tasks.Sources;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>
/// A request whose answer is awaited, used again and again. It has one state: in flight, then either completed (the answer or the
/// end of the connection came first) or orphaned (the caller went away first). It has two owners, the caller and the
/// connection's table of streams, and goes back to the pool when both have let go: an orphan keeps its stream id until
/// its answer arrives.
/// </summary>
internal sealed class PendingRequest : IValueTaskSource<Frame>, IDisposable
{
    private const long InFlight = 0;
    private const long Completed = 1;
    private const long Orphaned = 2;
    private const long StateMask = 3;

    private readonly CqlConnection _connection;
    private readonly ITimer _timer;
    // Continuations run elsewhere: the connection reads on.
    private ManualResetValueTaskSourceCore<Frame> _core = new() { RunContinuationsAsynchronously = true };
    private Deadline _deadline;
    // The state and, above it, the number of the use: a timer that fires late must not touch the next use.
    private long _state = Completed;
    private int _owners;

    public PendingRequest(CqlConnection connection, TimeProvider time)
    {
        _connection = connection;
        _timer = time.CreateTimer(static state => ((PendingRequest)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The number of the write that carries it: tells whether a byte of it may have left.</summary>
    public long Write { get; set; }

    /// <summary>Comes once; to be awaited once.</summary>
    public ValueTask<Frame> Answer => new(this, _core.Version);

    public void Start(Deadline deadline)
    {
        _core.Reset();
        _deadline = deadline;
        _owners = 2;
        Volatile.Write(ref _state, (_state & ~StateMask) + StateMask + 1);
        if (deadline.IsSet)
        {
            _timer.Change(deadline.Remaining, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The answer has come; false where the caller has gone.</summary>
    public bool Complete(in Frame answer)
    {
        bool won = TryMove(Volatile.Read(ref _state), Completed);
        if (won)
        {
            _core.SetResult(answer);
        }

        return won;
    }

    /// <summary>No answer will come.</summary>
    public void Fail(Exception fault)
    {
        if (TryMove(Volatile.Read(ref _state), Completed))
        {
            _core.SetException(fault);
        }
    }

    /// <summary>The caller does not want to wait any longer.</summary>
    public void Cancel(CancellationToken cancellationToken)
    {
        if (TryMove(Volatile.Read(ref _state), Orphaned))
        {
            _connection.OnOrphaned(timedOut: false);
            _core.SetException(new OperationCanceledException(cancellationToken));
        }
    }

    /// <summary>One of the two owners lets go.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _owners) == 0)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _connection.Return(this);
        }
    }

    public void Dispose() => _timer.Dispose();

    Frame IValueTaskSource<Frame>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Frame>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<Frame>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void OnTimer()
    {
        long seen = Volatile.Read(ref _state);
        if (!_deadline.IsOver)
        {
            // Timers count in milliseconds of another clock and may be early, or it is the next use's deadline already.
            if (_deadline.IsSet && (seen & StateMask) == InFlight)
            {
                _timer.Change(_deadline.Remaining, Timeout.InfiniteTimeSpan);
            }
        }
        else if (TryMove(seen, Orphaned))
        {
            _connection.OnOrphaned(timedOut: true);
            _core.SetException(new CqlTimeoutException($"{_connection.Name} has not answered in time"));
        }
    }

    private bool TryMove(long seen, long to) =>
        (seen & StateMask) == InFlight && Interlocked.CompareExchange(ref _state, seen + to, seen) == seen;
}
