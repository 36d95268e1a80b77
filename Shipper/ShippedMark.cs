using System.IO.Hashing;
using ClickAggregator.ClickLog;

namespace ClickAggregator.Shipper;

/// <summary>
/// Which record stood at an offset when it was shipped. A log that was restored from an older copy and written on has the id
/// that it had, is perhaps as long as it was, and has other records at offsets that were shipped: only this tells.
/// </summary>
/// <param name="Offset">The record's offset.</param>
/// <param name="Hash">XXH3 of its bytes, seeded with the time it was appended at: 16 hex digits.</param>
internal sealed record ShippedMark(long Offset, string Hash)
{
    /// <summary>Marks the last record of a chunk that can be read; null where there is none.</summary>
    public static ShippedMark? OfLast(in LogChunk chunk)
    {
        for (int n = chunk.Count - 1; n >= 0; n--)
        {
            LogRecord record = chunk.Records[n];
            if (record.Length >= 0)
            {
                return new ShippedMark(record.Offset, XxHash3.HashToUInt64(chunk.Value(record), record.AppendTime).ToString("x16"));
            }
        }

        return null;
    }

    /// <summary>Whether the log has another record there now. One that is gone, or was damaged since, says nothing.</summary>
    public bool Differs(PartitionedClickLog log, int partition)
    {
        (long start, long end) = log.GetRange(partition);
        if (Offset < start || Offset >= end)
        {
            return false;
        }

        using ClickLogReader reader = log.OpenReader(partition, Offset);
        if (reader.Read(1, Offset + 1) is not { } chunk)
        {
            return false;
        }

        try
        {
            return OfLast(chunk) is { } found && found != this;
        }
        finally
        {
            chunk.Return();
        }
    }
}
