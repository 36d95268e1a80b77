namespace ClickAggregator.Grains.Storage;

/// <summary>
/// The read side of the store: what queries are answered from. Every row of an answer is as it was written, whole, at some
/// moment during the question, and never older than in an earlier answer; whether all are of one moment is the store's matter
/// (SQLite: yes, of a scan each stretch of rows; Cassandra: no). So a sum is never above what was written by the end of the
/// question, nor below what was by its beginning. Answers are bounded by their arguments, and cancellable.
/// </summary>
public interface ICountReader
{
    /// <summary>The stored hours of several series in <c>[fromHour, toHour)</c>, one row per (series, hour, chain).</summary>
    /// <param name="series">At most 1,000.</param>
    /// <param name="withMinutes">Whether <see cref="HourRow.Minutes"/> is wanted.</param>
    Task<IReadOnlyList<HourRow>> ReadHoursAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, bool withMinutes, CancellationToken cancellationToken);

    /// <summary>The same with what tells whether a row is as its hour was final, and how it was then.</summary>
    /// <param name="series">At most 1,000.</param>
    /// <param name="fromHour">The first hour.</param>
    /// <param name="toHour">The one behind the last.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    Task<IReadOnlyList<StandingRow>> ReadStandingAsync(IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken);

    /// <summary>The stored day slices of several series in <c>[fromDay, toDay)</c>, one row per (series, day, chain).</summary>
    Task<IReadOnlyList<DayRow>> ReadDaysAsync(
        IReadOnlyList<string> series, int fromDay, int toDay, CancellationToken cancellationToken);

    /// <summary>
    /// What tells whether days of <c>[fromDay, toDay)</c> are still as they were remembered; null where nothing is. For rankings, which ask
    /// for the same days of the same targets again and again.
    /// </summary>
    Task<DayMarks?> ReadMarksAsync(int fromDay, int toDay, CancellationToken cancellationToken) => Task.FromResult<DayMarks?>(null);

    /// <summary>
    /// As <see cref="ReadDaysAsync"/>, of the moment of the marks: every batch and correction that was complete then is in it; what one
    /// that was under way has written may be missing, though an earlier answer had it.
    /// </summary>
    Task<IReadOnlyList<DayRow>> ReadCountedDaysAsync(
        IReadOnlyList<string> series, int fromDay, int toDay, DayMarks? marks, CancellationToken cancellationToken) =>
        ReadDaysAsync(series, fromDay, toDay, cancellationToken);

    /// <summary>An hour with its minutes, of the moment of the marks like <see cref="ReadCountedDaysAsync"/>.</summary>
    Task<IReadOnlyList<HourRow>> ReadCountedHourAsync(
        IReadOnlyList<string> series, int hour, DayMarks? marks, CancellationToken cancellationToken) =>
        ReadHoursAsync(series, hour, hour + 1, withMinutes: true, cancellationToken);

    /// <summary>The top lists of a kind in <c>[from, to)</c> hours or days, of all chains.</summary>
    Task<IReadOnlyList<TopList>> ReadTopsAsync(
        Clicks.TargetKind kind, TopSlice slice, int from, int to, CancellationToken cancellationToken);

    /// <summary>
    /// The same for a ranking, of the moment of the marks like <see cref="ReadCountedDaysAsync"/>; of days of which they say nothing it may
    /// read before they are there.
    /// </summary>
    Task<IReadOnlyList<TopList>> ReadCountedTopsAsync(
        Clicks.TargetKind kind, TopSlice slice, int from, int to, Task<DayMarks?> marks, CancellationToken cancellationToken) =>
        ReadTopsAsync(kind, slice, from, to, cancellationToken);

    /// <summary>
    /// The series that start with <paramref name="prefix"/> (such as <c>ad:</c>) and have a window in a UTC day that
    /// <c>[fromHour, toHour)</c> touches, in ordinal order, after <paramref name="after"/>, at most
    /// <paramref name="limit"/>. Only plain series (no <c>|</c>) where <paramref name="prefix"/> has none. It has the whole kind,
    /// up to its colon, or is a series that has none.
    /// </summary>
    Task<IReadOnlyList<string>> ListSeriesAsync(
        string prefix, int fromHour, int toHour, string? after, int limit, CancellationToken cancellationToken);

    /// <summary>The URLs that page ids stand for; ids without one are left out.</summary>
    Task<IReadOnlyDictionary<string, string>> ReadPageUrlsAsync(
        IReadOnlyList<string> pageIds, CancellationToken cancellationToken);

    /// <summary>The first hour with stored minutes: before it only quarters remain. Null where minutes never expired.</summary>
    Task<int?> ReadMinutesFloorAsync(CancellationToken cancellationToken);

    /// <summary>Every window row, once, in no particular order: for <c>verify</c>, never for a query.</summary>
    IAsyncEnumerable<(WindowKey Key, WindowRow Row)> ScanWindowsAsync(CancellationToken cancellationToken);

    /// <summary>Every day slice, like <see cref="ScanWindowsAsync"/>.</summary>
    IAsyncEnumerable<DayRow> ScanDaysAsync(CancellationToken cancellationToken);

    /// <summary>Every top list that can be read, like <see cref="ScanWindowsAsync"/>.</summary>
    IAsyncEnumerable<TopList> ScanTopsAsync(CancellationToken cancellationToken);
}

/// <summary>A store's own note of which days have changed, for the length of one question.</summary>
public abstract class DayMarks;

/// <summary>A stored hour of a series.</summary>
/// <param name="Series">The series.</param>
/// <param name="Hour">Hours since the Unix epoch.</param>
/// <param name="Chain">The chain that wrote it.</param>
/// <param name="Quarters">4 counts.</param>
/// <param name="Minutes">60 counts; null where expired or not asked for.</param>
/// <param name="SetAside">The row is quarantined: an answer that holds it is incomplete.</param>
public sealed record HourRow(
    string Series,
    int Hour,
    int Chain,
    long[] Quarters,
    long[]? Minutes,
    bool SetAside);

/// <summary>A stored hour of a series, and how it stands to the finalisations of its hour.</summary>
/// <param name="Row">Its counts now, with its minutes.</param>
/// <param name="Upto">End offset of the last batch that is in it.</param>
/// <param name="Run">The name of the run that corrected it last; null for none.</param>
/// <param name="AtFinal">What it had at a finalisation; null where no click came after one.</param>
public sealed record StandingRow(HourRow Row, long Upto, string? Run, CountsAtFinal? AtFinal)
{
    /// <summary>What it had at the latest finalisation of its hour; null where the row does not tell.</summary>
    public long[]? CountsAt(FinalMark final) =>
        AtFinal?.Version == final.Version ? AtFinal.Counts
        : final.IsStateOf(Upto, Run) ? Row.Minutes ?? Row.Quarters
        : null;
}

/// <summary>A stored day slice of a series.</summary>
/// <param name="Series">The series.</param>
/// <param name="Day">Days since the Unix epoch.</param>
/// <param name="Chain">The chain that wrote it.</param>
/// <param name="Quarters">96 counts, one for each quarter of an hour.</param>
/// <param name="SetAside">One of its hours is quarantined.</param>
public sealed record DayRow(
    string Series,
    int Day,
    int Chain,
    long[] Quarters,
    bool SetAside)
{
    /// <summary>The sum of its quarters.</summary>
    public long Clicks { get; } = Quarters.Sum();
}
