namespace ClickAggregator.Grains.Reconciling;

/// <summary>
/// What this silo knows of the ledger: both numbers only grow, so one that is old is lower, and then less is called final. Safe for
/// concurrent use.
/// </summary>
public sealed class LedgerBoard
{
    private int _through = int.MinValue;
    private long _version = -1;

    /// <summary>What was heard last; null before anything was.</summary>
    public LedgerPosition? Known => Volatile.Read(ref _version) is >= 0 and var version ? new LedgerPosition(Volatile.Read(ref _through), version) : null;

    public void Hear(LedgerPosition position)
    {
        Raise(ref _through, position.Through);
        long known;
        while ((known = Volatile.Read(ref _version)) < position.Version && Interlocked.CompareExchange(ref _version, position.Version, known) != known)
        {
        }
    }

    private static void Raise(ref int to, int value)
    {
        int known;
        while ((known = Volatile.Read(ref to)) < value && Interlocked.CompareExchange(ref to, value, known) != known)
        {
        }
    }
}
