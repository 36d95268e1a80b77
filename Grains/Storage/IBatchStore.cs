namespace ClickAggregator.Grains.Storage;

/// <summary>
/// What a chain writes for a whole batch, after the batch's windows and before the batch completes. Absolute and
/// stamped like window rows: a write whose stamp is not above a stored row's leaves that row alone.
/// </summary>
public interface IBatchStore
{
    /// <summary>Writes the rows of one batch; returns when they are as durable as the store makes them.</summary>
    Task WriteAsync(BatchRows rows, CancellationToken cancellationToken);

    /// <summary>The stored top list of a kind in an hour or a day, or null where none is stored.</summary>
    Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken);

    /// <summary>The end of the last batch that touched an hour (since the epoch) of a chain, as it is noted; null where nothing is.</summary>
    Task<long?> ReadHourAsync(int hour, int chain, CancellationToken cancellationToken);

    /// <summary>The latest finalisations of some hours (since the epoch) of a chain, of those that have one.</summary>
    Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int chain, CancellationToken cancellationToken);
}

/// <summary>The rows of one batch.</summary>
/// <param name="Chain">The chain that writes.</param>
/// <param name="Upto">The end offset of the batch.</param>
/// <param name="Stamp">The batch's stamp.</param>
/// <param name="Hours">The UTC hours (since the epoch) that the batch touched: which hours exist.</param>
/// <param name="Tops">The lists that changed, whole.</param>
/// <param name="Pages">Page ids seen for the first time by this activation, with the URL each stands for.</param>
public sealed record BatchRows(
    int Chain,
    long Upto,
    long Stamp,
    IReadOnlyList<int> Hours,
    IReadOnlyList<TopList> Tops,
    IReadOnlyList<PageRow> Pages)
{
    /// <summary>Hours whose windows will get clicks with this batch: they are open from now on, and nothing else is said of them yet.</summary>
    public IReadOnlyList<int> Opens { get; init; } = [];

    /// <summary>Hours whose windows were corrected: no batch touched them, so they are as open or final as before.</summary>
    public IReadOnlyList<int> Corrected { get; init; } = [];
}

/// <summary>What a hashed page id stands for.</summary>
/// <param name="Target">The target, <c>page:p-…</c>.</param>
/// <param name="Url">The normalised URL.</param>
/// <param name="FirstSeen">Event time of the first click, milliseconds since the epoch.</param>
public sealed record PageRow(string Target, string Url, long FirstSeen);

/// <summary>Granularity of a top list.</summary>
public enum TopSlice : byte
{
    Hour = 1,
    Day = 2,
}

/// <summary>Names a top list.</summary>
/// <param name="Kind">A kind (<c>ad</c>, <c>video</c> …) or <c>campaign</c> is never listed here: campaigns live in all partitions.</param>
/// <param name="Slice">Hour or day.</param>
/// <param name="Start">Hours, or days, since the Unix epoch.</param>
/// <param name="Chain">The chain the targets live in.</param>
public readonly record struct TopKey(Clicks.TargetKind Kind, TopSlice Slice, int Start, int Chain);

/// <summary>The most clicked targets of a kind, hour or day, and chain: exact for every entry at or above the floor.</summary>
/// <param name="Key">Which list.</param>
/// <param name="Entries">Target id and count, most clicked first; at most 1,000.</param>
/// <param name="Floor">The greatest count ever refused or evicted; 0 while everything fits.</param>
public sealed record TopList(TopKey Key, IReadOnlyList<TopEntry> Entries, long Floor);

/// <summary>An entry of a top list.</summary>
public readonly record struct TopEntry(string Id, long Clicks);
