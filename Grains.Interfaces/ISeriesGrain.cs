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

    /// <summary>How far every partition is, as this silo knows it.</summary>
    [Alias("GetProgress")]
    Task<CountingProgress> GetProgressAsync();

    /// <summary>The URLs that page ids stand for.</summary>
    [Alias("PageUrls")]
    Task<IReadOnlyDictionary<string, string>> PageUrlsAsync(IReadOnlyList<string> pageIds);
}

/// <summary>What is asked. Minutes are counted from the Unix epoch.</summary>
/// <param name="Series">At most 1,000.</param>
/// <param name="From">First minute.</param>
/// <param name="To">The minute after the last.</param>
/// <param name="Edges">Where points begin, ascending, the first at <paramref name="From"/>; null for no points.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.SeriesRange")]
public sealed record SeriesRange(
    [property: Id(0)] IReadOnlyList<string> Series,
    [property: Id(1)] long From,
    [property: Id(2)] long To,
    [property: Id(3)] IReadOnlyList<long>? Edges = null);

/// <summary>Sums of several series.</summary>
/// <param name="Counts">In the order of the question.</param>
/// <param name="From">The range used: where minutes are not kept any more, it begins and ends at quarter-hours.</param>
/// <param name="To">See <paramref name="From"/>.</param>
/// <param name="CountedUntil">Every click appended before this time (milliseconds since the epoch) is in the counts.</param>
/// <param name="Incomplete">A window of the range is set aside.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.SeriesSums")]
public sealed record SeriesSums(
    [property: Id(0)] IReadOnlyList<SeriesCount> Counts,
    [property: Id(1)] long From,
    [property: Id(2)] long To,
    [property: Id(3)] long CountedUntil,
    [property: Id(4)] bool Incomplete);

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
