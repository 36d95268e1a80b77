namespace ClickAggregator.Grains;

/// <summary>Answers how often series were clicked, from the stored slices. Stateless: key 0.</summary>
[Alias("ClickAggregator.ISeriesGrain")]
public interface ISeriesGrain : IGrainWithIntegerKey
{
    /// <summary>Sums series over a range, all at one view of the store.</summary>
    [Alias("Sum")]
    Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken);

    /// <summary>The series with a prefix that were clicked on the days of a range, in order.</summary>
    [Alias("List")]
    Task<IReadOnlyList<string>> ListAsync(SeriesList list, CancellationToken cancellationToken);

    /// <summary>The most clicked targets of a kind in a range.</summary>
    [Alias("Top")]
    Task<TopTargets> TopAsync(TopQuestion question, CancellationToken cancellationToken);

    /// <summary>The first hour (since the epoch) from which minutes are kept; null where all are.</summary>
    [Alias("MinutesFloor")]
    Task<int?> MinutesFloorAsync();

    /// <summary>Since when each rollup that is counted by is whole; nothing before the first partition counts.</summary>
    [Alias("GetRollupStarts")]
    Task<IReadOnlyDictionary<string, RollupStart>> GetRollupStartsAsync();

    /// <summary>How far every partition is, as this silo knows it.</summary>
    [Alias("GetProgress")]
    Task<CountingProgress> GetProgressAsync();

    /// <summary>Reads something of the store.</summary>
    /// <exception cref="StoreUnavailableException">It cannot be read now.</exception>
    [Alias("CheckStore")]
    Task CheckStoreAsync();

    /// <summary>The URLs that page ids stand for.</summary>
    [Alias("PageUrls")]
    Task<IReadOnlyDictionary<string, string>> PageUrlsAsync(IReadOnlyList<string> pageIds);
}

/// <summary>What is asked. Minutes are counted from the Unix epoch.</summary>
/// <param name="Series">At most 1,000.</param>
/// <param name="From">First minute.</param>
/// <param name="To">The minute after the last.</param>
/// <param name="Edges">Where points begin, ascending, the first at <paramref name="From"/>; null for no points.</param>
/// <param name="Version">The numbers as they stood at this version of the ledger; null for those of now.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.SeriesRange")]
public sealed record SeriesRange(
    [property: Id(0)] IReadOnlyList<string> Series,
    [property: Id(1)] long From,
    [property: Id(2)] long To,
    [property: Id(3)] IReadOnlyList<long>? Edges = null,
    [property: Id(4)] long? Version = null);

/// <summary>Sums of several series.</summary>
/// <param name="Counts">In the order of the question.</param>
/// <param name="From">The range used: where minutes are not kept any more, it begins and ends at quarter-hours.</param>
/// <param name="To">See <paramref name="From"/>.</param>
/// <param name="CountedUntil">Every click appended before this time (milliseconds since the epoch) is in the counts.</param>
/// <param name="Incomplete">A window of the range is set aside.</param>
/// <param name="Finality">What of the range is final; null where nothing is known of it, and where it is incomplete: such numbers are not final.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.SeriesSums")]
public sealed record SeriesSums(
    [property: Id(0)] IReadOnlyList<SeriesCount> Counts,
    [property: Id(1)] long From,
    [property: Id(2)] long To,
    [property: Id(3)] long CountedUntil,
    [property: Id(4)] bool Incomplete,
    [property: Id(5)] RangeFinality? Finality = null);

/// <summary>What of a range is final: recounted from the archive, and not touched since.</summary>
/// <param name="FinalUntil">Every hour of the range before this minute (since the epoch) is final; the range's begin where its first hour is not.</param>
/// <param name="Version">Of the ledger: the same question with this version, over hours that are final, has the same answer for ever.</param>
/// <param name="Provisional">The hours of the range that are not final, ascending; from <paramref name="ProvisionalFrom"/> on none is listed.</param>
/// <param name="ProvisionalFrom">Every hour from this one on is provisional.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RangeFinality")]
public sealed record RangeFinality(
    [property: Id(0)] long FinalUntil,
    [property: Id(1)] long Version,
    [property: Id(2)] IReadOnlyList<int> Provisional,
    [property: Id(3)] int ProvisionalFrom);

/// <summary>A version was asked for of hours that were not final at it, or are not now; the message names the first of them.</summary>
[GenerateSerializer, Alias("ClickAggregator.NotFinalException")]
public sealed class NotFinalException(string message) : Exception(message);

/// <summary>What was kept of an earlier version is gone or was altered: the numbers of that version cannot be told. The message names it.</summary>
[GenerateSerializer, Alias("ClickAggregator.HistoryDamagedException")]
public sealed class HistoryDamagedException(string message) : Exception(message);

/// <summary>One series' sum.</summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.SeriesCount")]
public sealed record SeriesCount([property: Id(0)] string Series, [property: Id(1)] long Clicks, [property: Id(2)] long[]? Points);

/// <summary>Which series to list.</summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.SeriesList")]
public sealed record SeriesList(
    [property: Id(0)] string Prefix,
    [property: Id(1)] long From,
    [property: Id(2)] long To,
    [property: Id(3)] string? After,
    [property: Id(4)] int Limit);

/// <summary>Which targets to rank.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="From">First minute since the epoch.</param>
/// <param name="To">The minute after the last.</param>
/// <param name="Limit">1 to 1,000.</param>
/// <param name="Suffix">What narrows a series down, for example <c>|country:US</c>; empty for all.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.TopQuestion")]
public sealed record TopQuestion(
    [property: Id(0)] Clicks.TargetKind Kind,
    [property: Id(1)] long From,
    [property: Id(2)] long To,
    [property: Id(3)] int Limit,
    [property: Id(4)] string Suffix = "");

/// <summary>A ranking.</summary>
/// <param name="Items">Most clicked first.</param>
/// <param name="Exact">It is certain that nobody else belongs among them.</param>
/// <param name="ErrorBound">Clicks that somebody left out may have at most; 0 where exact.</param>
/// <param name="Sums">The range used, and until when it is counted; without counts.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.TopTargets")]
public sealed record TopTargets(
    [property: Id(0)] IReadOnlyList<RankedTarget> Items,
    [property: Id(1)] bool Exact,
    [property: Id(2)] long ErrorBound,
    [property: Id(3)] SeriesSums Sums);

/// <summary>A target and its clicks.</summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RankedTarget")]
public readonly record struct RankedTarget([property: Id(0)] string Id, [property: Id(1)] long Clicks);
