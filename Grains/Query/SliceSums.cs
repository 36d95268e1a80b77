using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>Answers questions about series: the range that can be answered, its sums, and until when they are counted.</summary>
internal sealed class SliceSums(ICountReader reader, ProgressBoard board, SourceProgress sources)
{
    /// <param name="range">Which series, and when.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <param name="ranking">For a ranking.</param>
    public async Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken, RankingReads? ranking = null)
    {
        // Before the rows are read: what was counted then is in them.
        long countedUntil = CountedUntil();
        (long from, long to) = RangeCounter.Align(range.From, range.To, await reader.ReadMinutesFloorAsync(cancellationToken));
        long[] bounds = range.Edges is null ? [from, to] : [from, .. range.Edges.Skip(1), to];
        IReadOnlyDictionary<string, SeriesCounts> counts = await RangeCounter.CountAsync(reader, range.Series, bounds, ranking, cancellationToken);
        return new SeriesSums(
            [.. range.Series.Select(series => new SeriesCount(series, counts[series].Clicks, range.Edges is null ? null : counts[series].Points))],
            from,
            to,
            countedUntil,
            counts.Values.Any(count => count.Incomplete));
    }

    public long CountedUntil()
    {
        IReadOnlyList<PartitionProgress> partitions = board.Snapshot();
        return partitions.Count == 0 ? 0 : sources.Until(partitions.Min(partition => partition.CountedUntil));
    }

    internal static long FloorDiv(long value, long unit) => value >= 0 ? value / unit : ~(~value / unit);
}
