using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;
using Orleans.Concurrency;

namespace ClickAggregator.Grains.Query;

/// <summary>Queries; each silo has as many of it as it needs, and none waits for a window or a partition.</summary>
[StatelessWorker]
[Reentrant]
internal sealed class SeriesGrain(ICountReader reader, ProgressBoard board) : Grain, ISeriesGrain
{
    private readonly SliceSums _sums = new(reader, board);
    private readonly TopTargetsQuery _tops = new(reader, board);

    public Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken) => _sums.SumAsync(range, cancellationToken);

    public Task<IReadOnlyList<string>> ListAsync(SeriesList list, CancellationToken cancellationToken) => reader.ListSeriesAsync(
        list.Prefix, (int)SliceSums.FloorDiv(list.From, 60), (int)SliceSums.FloorDiv(list.To + 59, 60), list.After, list.Limit, cancellationToken);

    public Task<TopTargets> TopAsync(TopQuestion question, CancellationToken cancellationToken) => _tops.RankAsync(question, cancellationToken);

    public Task<int?> MinutesFloorAsync() => reader.ReadMinutesFloorAsync(CancellationToken.None);

    public Task<IReadOnlyDictionary<string, string>> PageUrlsAsync(IReadOnlyList<string> pageIds) =>
        reader.ReadPageUrlsAsync(pageIds, CancellationToken.None);
}
