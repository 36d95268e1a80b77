using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>
/// Answers questions about series: the range that can be answered, its sums, until when they are counted, and what of them is final.
/// </summary>
/// <param name="reader">The counts.</param>
/// <param name="board">How far is counted.</param>
/// <param name="sources">How far what brings clicks has brought them.</param>
/// <param name="finality">What is final; null where nothing is reconciled.</param>
/// <param name="versions">Counts as they stood at a version; null where nothing is reconciled.</param>
internal sealed class SliceSums(
    ICountReader reader, ProgressBoard board, SourceProgress sources, AnswerFinality? finality = null, VersionedCounts? versions = null)
{
    private const int Tries = 3;

    /// <param name="range">Which series, and when.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <param name="ranking">For a ranking, which asks for itself what of it is final.</param>
    public async Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken, RankingReads? ranking = null)
    {
        for (int attempt = 1; ; attempt++)
        {
            // Before the rows are read: what was counted then is in them.
            long countedUntil = CountedUntil();
            LedgerPosition? before = finality?.Before;
            (long from, long to) = RangeCounter.Align(
                range.From, range.To, ranking is null ? await reader.ReadMinutesFloorAsync(cancellationToken) : ranking.MinutesFloor);
            long[] bounds = range.Edges is null ? [from, to] : [from, .. range.Edges.Skip(1), to];
            IReadOnlyDictionary<string, SeriesCounts> counts;
            (bool moved, RangeFinality? final) = (false, null);
            if (range.Version is long version)
            {
                (counts, final) = versions is null
                    ? throw new NotFinalException("Nothing is final here: there is no reconciliation.")
                    : await versions.CountAsync(range.Series, bounds, version, cancellationToken);
            }
            else
            {
                counts = await RangeCounter.CountAsync(reader, range.Series, bounds, ranking, cancellationToken);
                (moved, final) = finality is null || ranking is not null ? (false, null) : await finality.AfterAsync(before, from, to, cancellationToken);
            }

            if (!moved || attempt == Tries)
            {
                bool incomplete = counts.Values.Any(count => count.Incomplete);
                return new SeriesSums(
                    [.. range.Series.Select(series => new SeriesCount(series, counts[series].Clicks, range.Edges is null ? null : counts[series].Points))],
                    from,
                    to,
                    countedUntil,
                    incomplete,
                    incomplete ? null : final);
            }
        }
    }

    /// <summary>What of a range is final that was read in several steps, the first of them after a look at <paramref name="before"/>.</summary>
    public async Task<RangeFinality?> FinalityAsync(LedgerPosition? before, long from, long to, CancellationToken cancellationToken) =>
        finality is null ? null : (await finality.AfterAsync(before, from, to, cancellationToken)).Finality;

    /// <summary>What is known of the ledger now.</summary>
    public LedgerPosition? Position => finality?.Before;

    public long CountedUntil()
    {
        IReadOnlyList<PartitionProgress> partitions = board.Snapshot();
        return partitions.Count == 0 ? 0 : sources.Until(partitions.Min(partition => partition.CountedUntil));
    }

    internal static long FloorDiv(long value, long unit) => value >= 0 ? value / unit : ~(~value / unit);
}
