using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Tests.Simulation;

/// <summary>How the simulation counts: campaigns or kinds, a retention or none, and how long and how many ids are known.</summary>
internal sealed record Style(bool Campaigns, bool Kinds, int? RetentionDays, long Horizon, int MaxIds);

/// <summary>A batch that was begun, and from where its owner knew ids then: no repeat of an earlier one is seen.</summary>
internal sealed record BegunBatch(PendingBatch Batch, long DedupFrom);

/// <summary>The truth: the log counted with plain dictionaries.</summary>
internal static class Recount
{
    /// <summary>Counts per minute of every window, of the records below <paramref name="upto"/>.</summary>
    public static Dictionary<(string Series, int Hour), long[]> Of(
        IEnumerable<Entry> log, long upto, IReadOnlyList<BegunBatch> begun, Func<string, Style> styles, Style otherwise)
    {
        var counts = new Dictionary<(string, int), long[]>();
        var last = new Dictionary<(string, string), (int Number, long Time, long Offset)>();
        int number = 0;
        long time = 0;
        foreach (Entry entry in log)
        {
            if (entry.Offset >= upto)
            {
                break;
            }

            if (entry.Damaged || entry.Ad is null)
            {
                continue;
            }

            time = Math.Max(time, entry.Appended);
            BegunBatch? batch = begun.FirstOrDefault(b => b.Batch.Start <= entry.Offset && entry.Offset < b.Batch.End);
            Style style = batch is null ? otherwise : styles(batch.Batch.Rules);
            bool repeats = last.TryGetValue((entry.Ad, entry.Id), out var seen)
                && number - seen.Number <= style.MaxIds && time - seen.Time <= style.Horizon && seen.Offset >= (batch?.DedupFrom ?? 0);
            last[(entry.Ad, entry.Id)] = (number++, time, entry.Offset);
            if (repeats || (style.RetentionDays is int days && entry.Appended - entry.Time > days * 86_400_000L))
            {
                continue;
            }

            Add("total");
            Add("ad:" + entry.Ad);
            if (style.Campaigns && entry.Campaign.Length > 0)
            {
                Add("campaign:" + entry.Campaign);
            }

            if (style.Kinds)
            {
                Add("kind:ad");
            }

            void Add(string series)
            {
                (string, int) key = (series, (int)(entry.Time / 3_600_000));
                if (!counts.TryGetValue(key, out long[]? minutes))
                {
                    counts[key] = minutes = new long[60];
                }

                minutes[entry.Time / 60_000 % 60]++;
            }
        }

        return counts;
    }

    public static long[] Quarters(long[] minutes) => [.. minutes.Chunk(15).Select(c => c.Sum())];
}
