using ClickAggregator.Grains.Reconciling;

namespace ClickAggregator.Grains.Query;

/// <summary>
/// Says what of an answer is final. Whoever counts a late click notes its hour before its window is written, and whoever makes hours
/// final stores the new version before they are: so with the version the same before the counts were read and after the open hours
/// were, every hour that is not open had, when it was read, the counts of that version.
/// </summary>
internal sealed class AnswerFinality(ILedgerStore ledger, LedgerBoard board, Func<Task<LedgerPosition>> ask, TimeProvider time)
{
    private const int MostOpen = 2000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>What is known before the counts are read; it may be old, and then the look afterwards says so.</summary>
    public LedgerPosition? Before => board.Known;

    /// <summary>The ledger's position now, from the one that gives out versions; null where it does not answer.</summary>
    public async Task<LedgerPosition?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            LedgerPosition position = await ask().WaitAsync(Patience, time, cancellationToken);
            board.Hear(position);
            return position;
        }
#pragma warning disable CA1031 // its silo died, or is starting: the counts are answered without
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    /// <summary>What of counts that were read is final.</summary>
    /// <param name="before">What was known before they were read.</param>
    /// <param name="from">First minute of the range.</param>
    /// <param name="to">The minute after the last.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>Whether hours became final meanwhile, so that the counts may be of before or after; and what is final otherwise.</returns>
    public async Task<(bool Moved, RangeFinality? Finality)> AfterAsync(LedgerPosition? before, long from, long to, CancellationToken cancellationToken)
    {
        if (before is not { } known)
        {
            return (false, null);
        }

        int fromHour = (int)SliceSums.FloorDiv(from, 60);
        if (fromHour >= known.Through)
        {
            return (false, Provisional(known, from));
        }

        int toHour = (int)Math.Min(known.Through, SliceSums.FloorDiv(to + 59, 60));
        IReadOnlyList<HourMark> open = await ledger.ReadOpenHoursAsync(fromHour, toHour, MostOpen + 1, cancellationToken);
        return await AskAsync(cancellationToken) is not { } after ? (false, null)
            : after.Version != known.Version ? (true, Provisional(known, from))
            : (false, Of(known, open, from, to));
    }

    /// <summary>Nothing of a range is final.</summary>
    private static RangeFinality Provisional(LedgerPosition known, long from) => new(from, known.Version, [], (int)SliceSums.FloorDiv(from, 60));

    private static RangeFinality Of(LedgerPosition known, IReadOnlyList<HourMark> open, long from, long to)
    {
        int provisionalFrom = open.Count > MostOpen ? open[MostOpen].Hour : known.Through;
        int[] hours = [.. open.Select(mark => mark.Hour).Where(hour => hour < provisionalFrom).Distinct().Order()];
        long first = (hours.Length > 0 ? hours[0] : provisionalFrom) * 60L;
        return new RangeFinality(Math.Clamp(first, from, to), known.Version, hours, provisionalFrom);
    }
}
