using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>The clicks of an hour that may repeat one another: those that have an id, and would count if they did not.</summary>
internal static class IdentifiedClicks
{
    /// <summary>What has to be read of a click.</summary>
    public const ClickColumns Columns =
        ClickColumns.Offset | ClickColumns.BrokerTime | ClickColumns.Duplicate | ClickColumns.ClickId | ClickColumns.Timestamp | ClickColumns.Target;

    /// <summary>Calls with the hash and the log time of each; answers how many rows are of the hour.</summary>
    /// <param name="question">What is recounted.</param>
    /// <param name="rows">Archived clicks.</param>
    /// <param name="upto">Only clicks below this offset.</param>
    /// <param name="each">Hears of each.</param>
    public static int Walk(HourQuestion question, ClickRows rows, long upto, Action<UInt128, long> each)
    {
        long retention = question.RetentionDays is int days ? days * 86_400_000L : long.MaxValue;
        int ofHour = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            long time = rows.Timestamps[row];
            if (time / 3_600_000 != question.Hour)
            {
                continue;
            }

            ofHour++;
            ReadOnlySpan<byte> id = rows.ClickIds[row];
            long appended = rows.BrokerTimes[row];
            if (!id.IsEmpty && rows.Offsets[row] < upto && !rows.Duplicates[row] && appended - time <= retention)
            {
                each(ClickHash.Compute(rows.Kinds[row], rows.TargetIds[row], id), appended);
            }
        }

        return ofHour;
    }

    /// <summary>In how many parts so many clicks are gone through where so many fit; at least 1.</summary>
    public static int PartsOf(long clicks, int atOnce) => (int)Math.Max(1, (clicks + atOnce - 1) / atOnce);

    /// <summary>Which of so many parts a click is in, from 0.</summary>
    public static int PartOf(UInt128 hash, int parts) => parts == 1 ? 0 : (int)((((ulong)(hash >> 64) >> 32) * (uint)parts) >> 32);
}
