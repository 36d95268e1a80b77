namespace ClickAggregator.Grains.DeadLetters;

/// <summary>
/// Takes the records of the log that hold no click, so that somebody can look: the partition goes on without them. After
/// a crash the same ones may come again; partition and offset tell.
/// </summary>
public interface IDeadLetters
{
    /// <summary>Keeps them; returns when they are kept.</summary>
    Task WriteAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellationToken);
}

/// <summary>A record that holds no click.</summary>
/// <param name="Partition">Where it is.</param>
/// <param name="Offset">Its offset there.</param>
/// <param name="Timestamp">Its time in the log, milliseconds since the epoch.</param>
/// <param name="Reason">Why it is no click: a stable code, such as <c>malformed_json</c>.</param>
/// <param name="Message">The same for people.</param>
/// <param name="Length">How long it is, bytes.</param>
/// <param name="Value">The first of its bytes, at most <see cref="MaxBytes"/>.</param>
public sealed record DeadLetter(int Partition, long Offset, long Timestamp, string Reason, string Message, int Length, byte[] Value)
{
    /// <summary>How much of a record is kept.</summary>
    public const int MaxBytes = 64 << 10;
}
