namespace ClickAggregator.Grains;

/// <summary>Reads the ledger: what was corrected, in which hour, by which run. Stateless: key 0.</summary>
[Alias("ClickAggregator.ILedgerGrain")]
public interface ILedgerGrain : IGrainWithIntegerKey
{
    /// <summary>The ledger of an hour, in the order of chain, series, run, behind a row; at most <paramref name="limit"/>.</summary>
    [Alias("OfHour")]
    Task<IReadOnlyList<LedgerRow>> OfHourAsync(int hour, LedgerPlace? after, int limit);

    /// <summary>The ledger of one series in <c>[fromHour, toHour)</c>, in the order of hour, chain, run; at most <paramref name="limit"/>.</summary>
    [Alias("OfSeries")]
    Task<IReadOnlyList<LedgerRow>> OfSeriesAsync(string series, int fromHour, int toHour, LedgerPlace? after, int limit);

    /// <summary>
    /// What one run wrote in <c>[fromHour, toHour)</c>, in the order of hour, chain, series. A page may hold less than
    /// <paramref name="limit"/> rows, or none, and yet not be the last: rows of other runs lie between, and each page looks at so
    /// many at most.
    /// </summary>
    [Alias("OfRun")]
    Task<LedgerPage> OfRunAsync(long run, int fromHour, int toHour, LedgerPlace? after, int limit);

    /// <summary>How many hours of chains in <c>[fromHour, toHour)</c> hold clicks that no run has covered; at most <paramref name="limit"/>.</summary>
    [Alias("CountOpenHours")]
    Task<int> CountOpenHoursAsync(int fromHour, int toHour, int limit);
}

/// <summary>Where a row of the ledger stands.</summary>
/// <param name="Series">The window's series.</param>
/// <param name="Hour">Hours since the epoch.</param>
/// <param name="Chain">The chain's number.</param>
/// <param name="Run">The run's number.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.LedgerPlace")]
public sealed record LedgerPlace([property: Id(0)] string Series, [property: Id(1)] int Hour, [property: Id(2)] int Chain, [property: Id(3)] long Run);

/// <summary>One correction of one window by one run.</summary>
/// <param name="Place">Which window, which run.</param>
/// <param name="Cause">Why, as a word: <c>missed</c>, <c>duplicate</c>, <c>phantom</c>, <c>store_damage</c>, <c>invalidated</c>, <c>restored</c>, <c>rebuilt</c>.</param>
/// <param name="State">How far it is, as a word: <c>pending</c>, <c>settled</c>, <c>dropped</c>, <c>dry</c>.</param>
/// <param name="Before">Clicks in each quarter of the hour (4) as they were stored.</param>
/// <param name="After">Clicks in each quarter of the hour (4) by the recount.</param>
/// <param name="Upto">Every click below this offset is in <paramref name="After"/>.</param>
/// <param name="At">When, milliseconds since the epoch.</param>
/// <param name="Detail">What differed beside the counts; null for nothing.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.LedgerRow")]
public sealed record LedgerRow(
    [property: Id(0)] LedgerPlace Place,
    [property: Id(1)] string Cause,
    [property: Id(2)] string State,
    [property: Id(3)] long[] Before,
    [property: Id(4)] long[] After,
    [property: Id(5)] long Upto,
    [property: Id(6)] long At,
    [property: Id(7)] string? Detail);

/// <summary>A page of the ledger.</summary>
/// <param name="Rows">What was found.</param>
/// <param name="Next">Where the next page begins, behind it; null at the end.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.LedgerPage")]
public sealed record LedgerPage([property: Id(0)] IReadOnlyList<LedgerRow> Rows, [property: Id(1)] LedgerPlace? Next);
