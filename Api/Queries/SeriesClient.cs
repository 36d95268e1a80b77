using ClickAggregator.Api.Cluster;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Queries;

/// <summary>Asks the silos for counts.</summary>
/// <param name="silos">The silos.</param>
/// <param name="sources">Where silos do not know what this process has accepted and not shipped yet: it does; else null.</param>
internal sealed class SeriesClient(Silos silos, SourceProgress? sources)
{
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

    private SeriesSums Honest(SeriesSums sums) =>
        sources is null || sums.CountedUntil == 0 ? sums : sums with { CountedUntil = sources.Until(sums.CountedUntil) };

    private Task<T> AskAsync<T>(Func<ISeriesGrain, Task<T>> question, CancellationToken cancellationToken) =>
        silos.AskAsync(grains => question(grains.GetGrain<ISeriesGrain>(0)), cancellationToken);
}
