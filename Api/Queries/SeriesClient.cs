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

    public async Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken) =>
        Honest(await AskAsync(series => series.SumAsync(range, cancellationToken), cancellationToken));

    public Task<IReadOnlyList<string>> ListAsync(SeriesList list, CancellationToken cancellationToken) =>
        AskAsync(series => series.ListAsync(list, cancellationToken), cancellationToken);

    public async Task<TopTargets> TopAsync(TopQuestion question, CancellationToken cancellationToken)
    {
        TopTargets top = await AskAsync(series => series.TopAsync(question, cancellationToken), cancellationToken);
        return top with { Sums = Honest(top.Sums) };
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

    private SeriesSums Honest(SeriesSums sums) =>
        sources is null || sums.CountedUntil == 0 ? sums : sums with { CountedUntil = sources.Until(sums.CountedUntil) };

    private Task<T> AskAsync<T>(Func<ISeriesGrain, Task<T>> question, CancellationToken cancellationToken) =>
        silos.AskAsync(grains => question(grains.GetGrain<ISeriesGrain>(0)), cancellationToken);
}
