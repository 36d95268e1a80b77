using System.Globalization;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Streaming;

namespace ClickAggregator.Api.Verify;

/// <summary>
/// Counts the click log again, with dictionaries and no more, and holds the store against it, window by window. It
/// shares no counting code with the grains: it is what they are checked by.
/// </summary>
/// <remarks>
/// Clicks may arrive meanwhile. A window is compared as of the batch it last applied (its <c>upto</c>), or as of the
/// offset that its whole partition had reached before the rows were read, whichever is later: every click below that
/// has been counted, and none above. Memory is bounded by working through the hours in passes of about
/// <see cref="ClicksPerPass"/> clicks.
/// </remarks>
internal sealed class LogRecount(IPartitionLog log, ICountReader store, RecountRules rules, IReadOnlySet<int> leftOut)
{
    /// <summary>About how many clicks one pass over the log holds in memory (some 500 bytes each: a click is in several windows).</summary>
    private const long ClicksPerPass = 1_000_000;

    private const int Examples = 10;

    /// <summary>Recounts what the partitions have counted.</summary>
    /// <param name="partitions">Partition, chain number and the offset below which everything is counted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<VerifyResult> RunAsync(IReadOnlyList<CountedPartition> partitions, CancellationToken cancellationToken)
    {
        var rows = new SortedDictionary<int, long>();
        await foreach ((WindowKey key, WindowRow row) in store.ScanWindowsAsync(cancellationToken))
        {
            rows[key.Hour] = rows.GetValueOrDefault(key.Hour) + (key.Series == "total" ? row.Clicks : 0);
        }

        // Hours that only the log knows belong to the pass of the stored hour before them, or to the first.
        var passes = new List<(int From, int To)>();
        int from = int.MinValue;
        long held = 0;
        foreach ((int hour, long clicks) in rows)
        {
            if (held > 0 && held + clicks > ClicksPerPass)
            {
                passes.Add((from, hour));
                (from, held) = (hour, 0);
            }

            held += clicks;
        }

        passes.Add((from, int.MaxValue));

        var total = new VerifyResult(0, 0, 0, 0, []);
        foreach ((int first, int last) in passes)
        {
            VerifyResult pass = await PassAsync(partitions, first, last, cancellationToken);
            total = new VerifyResult(
                total.Counted + pass.Counted,
                total.Recounted + pass.Recounted,
                total.WindowsDiffer + pass.WindowsDiffer,
                pass.Duplicates,
                [.. total.Examples.Concat(pass.Examples).Take(Examples)]);
        }

        return total;
    }

    private async Task<VerifyResult> PassAsync(
        IReadOnlyList<CountedPartition> partitions, int fromHour, int toHour, CancellationToken cancellationToken)
    {
        // Stored minus recounted, per minute of a window; what agrees is removed, so what is left differs.
        var cells = new Dictionary<(string Series, int Hour, int Chain, int Cell), long>();
        var uptos = new Dictionary<(string Series, int Hour, int Chain), Stored>();
        long counted = 0;
        await foreach ((WindowKey key, WindowRow row) in store.ScanWindowsAsync(cancellationToken))
        {
            if (key.Hour < fromHour || key.Hour >= toHour || leftOut.Contains(key.Chain))
            {
                continue;
            }

            uptos[(key.Series, key.Hour, key.Chain)] = new Stored(row.Upto, row.Minutes is null);
            counted += key.Series == "total" ? row.Clicks : 0;
            long[] counts = row.Minutes ?? row.Quarters;
            for (int cell = 0; cell < counts.Length; cell++)
            {
                Add(cells, (key.Series, key.Hour, key.Chain, cell), counts[cell]);
            }

            long[] sums = row.Minutes is null ? row.Quarters : Quarters(row.Minutes);
            if (!sums.AsSpan().SequenceEqual(row.Quarters))
            {
                Add(cells, (key.Series, key.Hour, key.Chain, -1), 1); // minutes and quarters of one row disagree
            }
        }

        long recounted = 0;
        long duplicates = 0;
        foreach (CountedPartition partition in partitions)
        {
            LogRange range = await log.GetRangeAsync(partition.Partition, cancellationToken);
            var seen = new RecountedIds(rules.Horizon, rules.MaxIds);
            await foreach (Slab slab in log.ReadAsync(partition.Partition, range.Start, range.End, cancellationToken))
            {
                try
                {
                    Count(slab, partition);
                }
                finally
                {
                    slab.Release();
                }
            }

            duplicates += seen.Duplicates;

            void Count(Slab slab, CountedPartition of)
            {
                foreach (SlabRecord record in slab.Records)
                {
                    if (record.IsDamaged || !ClickRecord.TryRead(slab.Value(record), out Click click))
                    {
                        continue;
                    }

                    long time = click.Timestamp == Click.NoTimestamp ? record.Timestamp : click.Timestamp;
                    bool duplicate = seen.Repeats(click, record.Timestamp);
                    if (duplicate || rules.Expires(time, record.Timestamp))
                    {
                        continue;
                    }

                    int hour = (int)Math.Floor(time / 3_600_000d);
                    if (hour < fromHour || hour >= toHour)
                    {
                        continue;
                    }

                    int minute = (int)((time / 60_000) - (hour * 60L));
                    foreach (string series in rules.SeriesOf(click))
                    {
                        bool known = uptos.TryGetValue((series, hour, of.Chain), out Stored stored);
                        if (record.Offset < Math.Max(of.Next, known ? stored.Upto : 0))
                        {
                            recounted += series == "total" ? 1 : 0;
                            Add(cells, (series, hour, of.Chain, known && stored.Coarse ? minute / 15 : minute), -1);
                        }
                    }
                }
            }
        }

        var wrong = cells.GroupBy(cell => (cell.Key.Series, cell.Key.Hour, cell.Key.Chain)).ToList();
        string[] examples = [.. wrong.Take(Examples).Select(window => string.Create(
            CultureInfo.InvariantCulture,
            $"{window.Key.Series} hour {DateTimeOffset.FromUnixTimeSeconds(window.Key.Hour * 3600L):yyyy-MM-ddTHH}Z chain {window.Key.Chain}: {string.Join(", ", window.Select(cell => $"{(cell.Key.Cell < 0 ? "minutes against quarters" : "cell " + cell.Key.Cell)} {cell.Value:+0;-0}"))}"))];
        return new VerifyResult(counted, recounted, wrong.Count, duplicates, examples);
    }

    private static long[] Quarters(long[] minutes) =>
        [.. Enumerable.Range(0, 4).Select(quarter => minutes.AsSpan(quarter * 15, 15).ToArray().Sum())];

    private static void Add<TKey>(Dictionary<TKey, long> cells, TKey key, long change)
        where TKey : notnull
    {
        long now = cells.GetValueOrDefault(key) + change;
        if (now == 0)
        {
            cells.Remove(key);
        }
        else
        {
            cells[key] = now;
        }
    }

    private readonly record struct Stored(long Upto, bool Coarse);
}

/// <summary>A partition as far as it is counted.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Chain">The chain that its window rows carry.</param>
/// <param name="Next">Every offset below it is counted.</param>
/// <param name="Log">The log that it was counted from.</param>
internal sealed record CountedPartition(int Partition, int Chain, long Next, string Log);
