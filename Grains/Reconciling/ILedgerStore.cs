using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>
/// What reconciliation reads and keeps: which hours there are and which are final, what is stored of an hour, every correction, and
/// the counts as they stood at earlier finalisations. Safe for concurrent use; bounded by its arguments.
/// </summary>
public interface ILedgerStore
{
    /// <summary>
    /// The hours of <c>[fromHour, toHour)</c>, by chain, that have clicks which no run has covered: there is no finalisation, or the
    /// hour was touched by a batch that ends beyond it. By hour, then chain; at most <paramref name="limit"/>.
    /// Whoever counts a click notes its hour here before its window is written (<see cref="BatchRows.Hours"/>), so a number that holds a
    /// click that no run covered is never called final.
    /// </summary>
    Task<IReadOnlyList<HourMark>> ReadOpenHoursAsync(int fromHour, int toHour, int limit, CancellationToken cancellationToken);

    /// <summary>Every hour of <c>[fromHour, toHour)</c> that a batch touched, by chain.</summary>
    Task<IReadOnlyList<HourMark>> ReadHoursAsync(int fromHour, int toHour, CancellationToken cancellationToken);

    /// <summary>The finalisations of the hours of <c>[fromHour, toHour)</c>, the latest of each hour and chain.</summary>
    Task<IReadOnlyList<HourFinal>> ReadFinalsAsync(int fromHour, int toHour, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps a finalisation, in place of the hour's last one, and takes the hour from the open ones, unless a batch beyond
    /// <see cref="HourFinal.Upto"/> has touched it. Each has a version above all before: one whose last version is not above the
    /// stored one changes nothing of that; and what was opened again after a version only a later version closes. So a repeat, or
    /// one that arrives late, does no harm.
    /// </summary>
    /// <exception cref="ArgumentException">It has no version.</exception>
    Task WriteFinalAsync(HourFinal final, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a final hour again, before something of it is changed that no click did (an invalidation, a recount of its own). The next
    /// finalisation closes it.
    /// </summary>
    /// <param name="hour">Hours since the epoch.</param>
    /// <param name="chain">The chain.</param>
    /// <param name="version">The ledger's last version, or an earlier one: under it an hour is opened whose finalisation is gone.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task ReopenAsync(int hour, int chain, long version, CancellationToken cancellationToken);

    /// <summary>
    /// What is stored of an hour and chain: of every series that the index has in the day, the window's row, with its element of the
    /// day slice; left out where there is neither a row nor a click in the day slice. In <see cref="SeriesOrder"/>, read in
    /// stretches: each is of one moment in SQLite, each row in Cassandra. Rows that no index names are among them in SQLite; in
    /// Cassandra they are not: see <see cref="FindUnnamedAsync"/>.
    /// </summary>
    IAsyncEnumerable<StoredWindow> ReadWindowsAsync(int hour, int chain, CancellationToken cancellationToken);

    /// <summary>
    /// What is stored of some series of an hour and chain, whether an index names them or not; of those of which nothing is there is
    /// nothing in the answer.
    /// </summary>
    /// <param name="series">At most 1,000.</param>
    /// <param name="hour">Hours since the epoch.</param>
    /// <param name="chain">The chain.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<IReadOnlyList<StoredWindow>> FindWindowsAsync(IReadOnlyList<string> series, int hour, int chain, CancellationToken cancellationToken);

    /// <summary>Into how many parts all that is stored is cut for <see cref="FindUnnamedAsync"/>.</summary>
    int UnnamedParts { get; }

    /// <summary>
    /// The windows of one part, of <c>[0, <see cref="UnnamedParts"/>)</c>, of which there is a row, or a click in the day slice, and no name in
    /// the index of their day, and rows that stand in the partition of another day (<see cref="StrayWindow.AstrayIn"/>); each once or twice, in
    /// no order, and those whose time is over perhaps among them. All parts together are all that was stored before. It reads slowly, and what
    /// is in memory is bounded.
    /// </summary>
    IAsyncEnumerable<StrayWindow> FindUnnamedAsync(int part, CancellationToken cancellationToken);

    /// <summary>Takes away a row of a window that stands in the partition of another day; false where it does not go.</summary>
    Task<bool> RemoveAstrayAsync(WindowKey key, int day, CancellationToken cancellationToken);

    /// <summary>Whether <see cref="ReadWindowsAsync"/> finds windows of a series, once they have a name.</summary>
    bool IsReached(string series);

    /// <summary>
    /// Lets <see cref="ReadWindowsAsync"/> find a window that no index names, by a name where it needs one, with which
    /// <see cref="FindUnnamedAsync"/> does not find it any more; false where it does not hold.
    /// </summary>
    Task<bool> NameAsync(WindowKey key, CancellationToken cancellationToken);

    /// <summary>Keeps rows of the ledger; a row of the same run and window takes the place of the one that is there.</summary>
    Task WriteCorrectionsAsync(IReadOnlyList<CorrectionRow> rows, CancellationToken cancellationToken);

    /// <summary>The ledger of an hour, in the order of chain, series (<see cref="SeriesOrder"/>), run, behind a row; at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<CorrectionRow>> ReadCorrectionsAsync(int hour, CorrectionRow? after, int limit, CancellationToken cancellationToken);

    /// <summary>The ledger of one series in <c>[fromHour, toHour)</c>, in the order of hour, chain, run; at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<CorrectionRow>> ReadCorrectionsOfAsync(
        string series, int fromHour, int toHour, CorrectionRow? after, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps the counts of windows as they stood before a finalisation changed them, each with its mark (<see cref="HistoryMark"/>); what
    /// was kept first stands.
    /// </summary>
    Task WriteHistoryAsync(IReadOnlyList<HistoryRow> rows, CancellationToken cancellationToken);

    /// <summary>The history of some series (at most 1,000) in <c>[fromHour, toHour)</c>, by series, hour, chain, ordinal.</summary>
    Task<IReadOnlyList<HistoryRow>> ReadHistoryAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken);

    /// <summary>The marks of the history, as <see cref="ReadHistoryAsync"/>. Rows that are read after their marks are there, or somebody took them away.</summary>
    Task<IReadOnlyList<HistoryMark>> ReadHistoryMarksAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken);

    /// <summary>Every mark of the history; those of one series in the order of hour and chain, one after the other for a while at least.</summary>
    IAsyncEnumerable<HistoryMark> ScanHistoryMarksAsync(CancellationToken cancellationToken);
}

/// <summary>
/// An hour of a chain that has clicks, and the end of the last batch that touched it; of an hour that was opened again without a
/// click, where its finalisation reached: 0 where there is none, so that a finalisation that is gone can be told from a click that came.
/// </summary>
public readonly record struct HourMark(int Hour, int Chain, long Upto);

/// <summary>The latest finalisation of an hour and chain.</summary>
/// <param name="Hour">Hours since the epoch.</param>
/// <param name="Chain">The chain's number.</param>
/// <param name="Upto">Every click of the hour below this offset is in the counts.</param>
/// <param name="Run">The run that did it.</param>
/// <param name="Invalidations">The last invalidation, or end of one, that was in force: its number; 0 for none.</param>
/// <param name="Versions">
/// The version of each finalisation of this hour and chain, ascending: the first is ordinal 0. Of an hour that lost its finalisations the next
/// one's stands as often as there were, as far as counts were kept for them.
/// </param>
/// <param name="At">When, milliseconds since the epoch.</param>
public sealed record HourFinal(int Hour, int Chain, long Upto, long Run, long Invalidations, IReadOnlyList<long> Versions, long At);

/// <summary>What is stored of one window.</summary>
/// <param name="Key">The window.</param>
/// <param name="Row">Its row; stamp 0 where only the day slice tells of it.</param>
/// <param name="DayQuarters">The 4 counts of this hour in the day slice; null where the series has no day slice there.</param>
/// <param name="IsListed">Whether the index names the series in the day; true where that was not looked at.</param>
public sealed record StoredWindow(WindowKey Key, WindowRow Row, long[]? DayQuarters, bool IsListed = true);

/// <summary>What is stored and found by no run.</summary>
/// <param name="Key">The window.</param>
/// <param name="AstrayIn">The day in whose partition a row of it stands, which is not its own; null for a window that no index names.</param>
public readonly record struct StrayWindow(WindowKey Key, int? AstrayIn = null);

/// <summary>Why a window was corrected.</summary>
public enum CorrectionCause : byte
{
    None = 0,

    /// <summary>The stream had missed clicks.</summary>
    Missed = 1,

    /// <summary>Clicks had counted more than once.</summary>
    Duplicate = 2,

    /// <summary>There were clicks in the store that nobody sent.</summary>
    Phantom = 3,

    /// <summary>The store had lost or changed what was written: a row set aside, a day slice or a top list that differs from its windows.</summary>
    StoreDamage = 4,

    /// <summary>Clicks were taken back.</summary>
    Invalidated = 5,

    /// <summary>Clicks that were taken back count again.</summary>
    Restored = 6,

    /// <summary>A rollup that was switched on later got its history.</summary>
    Rebuilt = 7,
}

/// <summary>How far a correction is.</summary>
public enum CorrectionState : byte
{
    /// <summary>Written before the window is: a run that died here leaves it so, until the next run looks.</summary>
    Pending = 1,

    /// <summary>The window was read back with it.</summary>
    Settled = 2,

    /// <summary>It was not done: clicks came in between, or the run ended. The hour is recounted again.</summary>
    Dropped = 3,

    /// <summary>What a dry run would have done.</summary>
    Dry = 4,
}

/// <summary>A row of the ledger: one correction of one window by one run.</summary>
/// <param name="Run">The run's number.</param>
/// <param name="Key">The window.</param>
/// <param name="Cause">Why.</param>
/// <param name="State">How far it is.</param>
/// <param name="Before">Clicks in each quarter (4) as they were stored.</param>
/// <param name="After">Clicks in each quarter (4) by the recount.</param>
/// <param name="Upto">Every click below this offset is in <paramref name="After"/>.</param>
/// <param name="At">When, milliseconds since the epoch.</param>
/// <param name="Detail">What differed beside the counts: <c>minutes</c>, <c>day</c>, <c>top</c>, <c>floor</c>, <c>hour</c>, the invalidation; null for nothing.</param>
public sealed record CorrectionRow(
    long Run, WindowKey Key, CorrectionCause Cause, CorrectionState State, long[] Before, long[] After, long Upto, long At, string? Detail);

/// <summary>A window's counts as they stood until a finalisation changed them.</summary>
/// <param name="Key">The window.</param>
/// <param name="Ordinal">The finalisation (index in <see cref="HourFinal.Versions"/>, at least 1) until which they stood.</param>
/// <param name="Minutes">60 counts; null where minutes were not kept any more.</param>
/// <param name="Quarters">4 counts.</param>
public sealed record HistoryRow(WindowKey Key, int Ordinal, long[]? Minutes, long[] Quarters);
