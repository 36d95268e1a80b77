namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>A moment by which something has to be done, on the clock that only goes forward.</summary>
internal readonly struct Deadline
{
    private readonly TimeProvider? _time;
    private readonly long _at;

    private Deadline(TimeProvider time, TimeSpan span)
    {
        _time = time;
        _at = time.GetTimestamp() + (long)(span.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>No deadline.</summary>
    public static Deadline None => default;

    public bool IsSet => _time is not null;

    public bool IsOver => _time is not null && _time.GetTimestamp() >= _at;

    /// <summary>Never negative; a little too long rather than too short, so that a timer does not fire before it.</summary>
    public TimeSpan Remaining => _time is null
        ? Timeout.InfiniteTimeSpan
        : TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(_time.GetElapsedTime(_time.GetTimestamp(), _at).TotalMilliseconds)));

    public static Deadline After(TimeProvider time, TimeSpan span) => new(time, span);

    /// <summary>A token that is cancelled when it is over, or with another one.</summary>
    public CancellationTokenSource ToSource(CancellationToken cancellationToken) => _time is null
        ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken)
        : new LinkedTimer(_time, Remaining, cancellationToken);

    // A source with a clock of its own cannot be linked, and the other way round.
    private sealed class LinkedTimer : CancellationTokenSource
    {
        private readonly CancellationTokenRegistration _registration;

        public LinkedTimer(TimeProvider time, TimeSpan after, CancellationToken cancellationToken)
            : base(after, time) =>
            _registration = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), this);

        protected override void Dispose(bool disposing)
        {
            _registration.Dispose();
            base.Dispose(disposing);
        }
    }
}
