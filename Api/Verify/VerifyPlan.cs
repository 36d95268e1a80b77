using System.Globalization;

namespace ClickAggregator.Api.Verify;

/// <summary>What of a store can be recounted from the logs that are there, and what has to be left out.</summary>
/// <param name="Parts">What is recounted.</param>
/// <param name="Remarks">What is left out, and why.</param>
internal sealed record VerifyPlan(IReadOnlyList<RecountPart> Parts, IReadOnlyList<string> Remarks)
{
    // A click's time may be so far ahead of its time in the log.
    private const long MostAhead = 5 * 60_000;

    /// <param name="counted">From the store.</param>
    /// <param name="log">The log that is counted.</param>
    /// <param name="before">The log that was counted before it, where there is one; what is closed of it is recounted, too.</param>
    /// <param name="leaveOutRemoved">Windows that may hold clicks which neither the log nor the archive has are left out; else they differ.</param>
    /// <param name="archives">What is archived, by chain; null for nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<VerifyPlan> MakeAsync(
        IReadOnlyList<CountedPartition> counted,
        IRecountLog log,
        IRecountLog? before,
        bool leaveOutRemoved,
        IReadOnlyDictionary<int, RecountedArchive>? archives,
        CancellationToken cancellationToken)
    {
        var parts = new List<RecountPart>();
        var remarks = new List<string>();
        foreach (IRecountLog one in before is null ? [log] : new[] { before, log })
        {
            for (int partition = 0; partition < one.Partitions; partition++)
            {
                string name = before is null ? $"partition {partition}" : $"partition {partition} of {(one == log ? "the topic" : "the click log")}";
                CountedPartition? chain = counted.FirstOrDefault(some => some.Partition == partition && some.Log == one.Id);
                (long start, long end) = await one.RangeAsync(partition, cancellationToken);
                if (one == log && (chain?.Next ?? 0) < end)
                {
                    remarks.Add($"{name}: {end - (chain?.Next ?? 0)} records are not counted yet; they are left out");
                }

                if (chain is null || (chain.IsClosed && chain.Next == 0))
                {
                    continue;
                }

                int firstHour = int.MinValue;
                RecountedArchive? archive = start > 0 ? ArchiveOf(archives, chain.Chain, start) : null;
                if (start > 0 && archive is null && !leaveOutRemoved)
                {
                    remarks.Add($"{name}: the log starts at offset {start}; clicks before it were counted and removed, and the archive cannot say what they were: windows that hold such clicks will differ");
                }
                else if (start > 0)
                {
                    firstHour = await FirstWholeHourAsync(one, partition, start, end, cancellationToken);
                    string windows = firstHour == int.MaxValue ? "windows" : $"windows before {Hour(firstHour)}";
                    remarks.Add($"{name}: the log starts at offset {start}; {(archive is null ? $"what was before is removed, and {windows} are left out" : $"{windows} are recounted from the archive")}");
                }

                parts.Add(new RecountPart(one, partition, chain.Chain, chain.Next, chain.IsClosed ? chain.Next : long.MaxValue, firstHour, archive));
            }
        }

        foreach (CountedPartition gone in counted.Where(chain => chain.Next > 0 && parts.TrueForAll(part => part.Chain != chain.Chain)))
        {
            if (ArchiveOf(archives, gone.Chain, gone.Next) is { } archive)
            {
                parts.Add(new RecountPart(new NoLog(gone.Log), gone.Partition, gone.Chain, gone.Next, 0, int.MaxValue, archive));
                remarks.Add($"partition {gone.Partition} of the log {gone.Log}, which is not here: its windows are recounted from the archive");
            }
        }

        return new VerifyPlan(parts, remarks);
    }

    // Null where there is none that has all below the offset.
    private static RecountedArchive? ArchiveOf(IReadOnlyDictionary<int, RecountedArchive>? archives, int chain, long upto) =>
        archives?.GetValueOrDefault(chain) is { } archive && archive.Upto >= upto ? archive : null;

    private static async Task<int> FirstWholeHourAsync(IRecountLog log, int partition, long start, long end, CancellationToken cancellationToken)
    {
        long? first = null;
        using var found = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await log.ReadAsync(partition, start, end, (_, time, _) =>
            {
                first ??= time;
                found.Cancel();
            }, found.Token);
        }
        catch (OperationCanceledException) when (first is not null)
        {
            // That is all that was wanted.
        }

        return first is long time ? (int)((time + MostAhead) / 3_600_000) + 1 : int.MaxValue;
    }

    private static string Hour(int hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600L).ToString("yyyy-MM-ddTHH:mmZ", CultureInfo.InvariantCulture);
}
