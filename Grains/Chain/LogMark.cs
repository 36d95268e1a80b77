using System.IO.Hashing;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Chain;

/// <summary>
/// Which record stands at an offset. A log that was restored from an older copy and then written on has the id that it
/// had, is perhaps as long as it was, and has other records at offsets that were counted: only this tells.
/// </summary>
/// <param name="Offset">The record's offset.</param>
/// <param name="Hash">Of its bytes and its time in the log.</param>
public sealed record LogMark(long Offset, ulong Hash)
{
    /// <summary>Marks the last record of some slabs that can be read; null where there is none.</summary>
    public static LogMark? OfLast(IReadOnlyList<Slab> slabs)
    {
        for (int n = slabs.Count - 1; n >= 0; n--)
        {
            ReadOnlySpan<SlabRecord> records = slabs[n].Records;
            for (int at = records.Length - 1; at >= 0; at--)
            {
                if (!records[at].IsDamaged)
                {
                    return Of(slabs[n], in records[at]);
                }
            }
        }

        return null;
    }

    /// <summary>Marks a record that can be read.</summary>
    public static LogMark Of(Slab slab, in SlabRecord record)
    {
        ArgumentNullException.ThrowIfNull(slab);
        return new LogMark(record.Offset, XxHash3.HashToUInt64(slab.Value(in record), record.Timestamp));
    }
}
