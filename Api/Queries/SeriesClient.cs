using ClickAggregator.Api.Cluster;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Queries;

/// <summary>Asks the silos for counts.</summary>
/// <param name="silos">The silos.</param>
/// <param name="time">The clock for what is kept a moment.</param>
/// <param name="sources">Where silos do not know what this process has accepted and not shipped yet: it does; else null.</param>
internal sealed class SeriesClient(Silos silos, TimeProvider time, SourceProgress? sources)
{
    // They change when a silo starts with other settings: a moment later is soon enough.
    private static readonly TimeSpan s_startsKept = TimeSpan.FromSeconds(5);
    private (IReadOnlyDictionary<string, RollupStart> Starts, long At)? _starts;

    /// <summary>
    /// Until when answers were complete at most: what was counted then is in each later answer, too, though the silo that gives it may not
    /// have heard of it yet, or have taken a partition up a moment ago. So <c>counted_until</c> never goes back.
    /// </summary>
    private long _answered;

    public async Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken)
    {
        long answered = Volatile.Read(ref _answered);
        return Complete(await AskAsync(series => series.SumAsync(range, cancellationToken), cancellationToken), answered);
    }

    public Task<IReadOnlyList<string>> ListAsync(SeriesList list, CancellationToken cancellationToken) =>
        AskAsync(series => series.ListAsync(list, cancellationToken), cancellationToken);

    public async Task<TopTargets> TopAsync(TopQuestion question, CancellationToken cancellationToken)
    {
        long answered = Volatile.Read(ref _answered);
        TopTargets top = await AskAsync(series => series.TopAsync(question, cancellationToken), cancellationToken);
        return top with { Sums = Complete(top.Sums, answered) };
    }

    public Task<int?> MinutesFloorAsync(CancellationToken cancellationToken) =>
        AskAsync(series => series.MinutesFloorAsync(), cancellationToken);

    public Task<IReadOnlyDictionary<string, string>> PageUrlsAsync(IReadOnlyList<string> pageIds, CancellationToken cancellationToken) =>
        AskAsync(series => series.PageUrlsAsync(pageIds), cancellationToken);

    /// <summary>Since when each rollup that is counted by is whole; nothing before the first partition counts.</summary>
    public async ValueTask<IReadOnlyDictionary<string, RollupStart>> RollupStartsAsync(CancellationToken cancellationToken)
    {
        if (_starts is { } known && time.GetElapsedTime(known.At) < s_startsKept)
        {
            return known.Starts;
        }

        long at = time.GetTimestamp();
        IReadOnlyDictionary<string, RollupStart> starts = await AskAsync(series => series.GetRollupStartsAsync(), cancellationToken);
        _starts = (starts, at);
        return starts;
    }

    /// <param name="sums">The answer.</param>
    /// <param name="answered">What was answered before the question was asked; of what was answered meanwhile it may know nothing.</param>
    private SeriesSums Complete(SeriesSums sums, long answered)
    {
        long until = sums.CountedUntil == 0 || sources is null ? sums.CountedUntil : sources.Until(sums.CountedUntil);
        until = Math.Max(until, answered);
        long before;
        while ((before = Volatile.Read(ref _answered)) < until && Interlocked.CompareExchange(ref _answered, until, before) != before)
        {
        }

        return sums with { CountedUntil = until };
    }

    private Task<T> AskAsync<T>(Func<ISeriesGrain, Task<T>> question, CancellationToken cancellationToken) =>
        silos.AskAsync(grains => question(grains.GetGrain<ISeriesGrain>(0)), cancellationToken);
}
