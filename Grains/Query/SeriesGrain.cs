using System.Data.Common;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Concurrency;

namespace ClickAggregator.Grains.Query;

/// <summary>Queries; each silo has as many of it as it needs, and none waits for a window or a partition.</summary>
[StatelessWorker]
[Reentrant]
internal sealed class SeriesGrain : Grain, ISeriesGrain
{
    private readonly ICountReader _reader;
    private readonly SliceSums _sums;
    private readonly ProgressBoard _board;
    private readonly TopTargetsQuery _tops;
    private readonly TimeProvider _time;

    public SeriesGrain(ICountReader reader, ProgressBoard board, SourceProgress sources, CountingOptions options, IGrainFactory grains, IServiceProvider services)
    {
        _reader = reader;
        _board = board;
        _time = services.GetRequiredService<TimeProvider>();
        if (services.GetService<LedgerBoard>() is { } positions && services.GetService<ILedgerStore>() is { } ledger)
        {
            var finality = new AnswerFinality(
                ledger, positions, () => grains.GetGrain<IReconciliationGrain>(0).GetPositionAsync(), _time);
            _sums = new SliceSums(reader, board, sources, finality, new VersionedCounts(reader, ledger, finality));
        }
        else
        {
            _sums = new SliceSums(reader, board, sources);
        }

        _tops = new TopTargetsQuery(reader, _sums, () =>
            options.TargetsMaySpread ? Task.FromResult<long?>(long.MaxValue) : grains.GetGrain<IChainRegistryGrain>(0).GetMixedUntilAsync());
    }

    public Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken) => ReadAsync(() => _sums.SumAsync(range, cancellationToken));

    public Task<IReadOnlyList<string>> ListAsync(SeriesList list, CancellationToken cancellationToken) => ReadAsync(() => _reader.ListSeriesAsync(
        list.Prefix, (int)SliceSums.FloorDiv(list.From, 60), (int)SliceSums.FloorDiv(list.To + 59, 60), list.After, list.Limit, cancellationToken));

    public Task<TopTargets> TopAsync(TopQuestion question, CancellationToken cancellationToken) => ReadAsync(() => _tops.RankAsync(question, cancellationToken));

    public Task<int?> MinutesFloorAsync() => ReadAsync(() => _reader.ReadMinutesFloorAsync(CancellationToken.None));

    public Task<IReadOnlyDictionary<string, RollupStart>> GetRollupStartsAsync() => ReadAsync(() => GrainFactory.GetGrain<IRollupHistoryGrain>(0).GetStartsAsync());

    public Task<CountingProgress> GetProgressAsync() => Task.FromResult(new CountingProgress(_board.Snapshot(), _board.Trouble));

    public Task CheckStoreAsync() => ReadAsync(() =>
    {
        int day = (int)(_time.GetUtcNow().ToUnixTimeSeconds() / 86_400);
        return _reader.ReadDaysAsync(["total"], day, day + 1, CancellationToken.None);
    });

    public Task<IReadOnlyDictionary<string, string>> PageUrlsAsync(IReadOnlyList<string> pageIds) =>
        ReadAsync(() => _reader.ReadPageUrlsAsync(pageIds, CancellationToken.None));

    // Whoever asks may be another program, which does not know the exceptions of stores.
    private static async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception fault) when (fault is DbException or IOException or TimeoutException)
        {
            throw new StoreUnavailableException($"the store cannot be read: {fault.Message}", fault);
        }
    }
}
