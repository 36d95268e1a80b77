using ClickAggregator.ClickLog;

namespace ClickAggregator.Shipper;

/// <summary>
/// What of a click log waits to be shipped. It is asked of the log each time, and so tells the truth while nothing is shipped.
/// </summary>
internal sealed class ShipBacklog(PartitionedClickLog log, TimeProvider time)
{
    private readonly (long Offset, long AppendTime)[] _oldest = [.. Enumerable.Repeat((-1L, 0L), log.Partitions)];

    /// <param name="positions">Per partition: every offset below is shipped.</param>
    public ShipLag Behind(IReadOnlyList<long> positions)
    {
        long bytes = 0;
        long oldest = long.MaxValue;
        lock (_oldest)
        {
            for (int partition = 0; partition < _oldest.Length; partition++)
            {
                (long start, long end) = log.GetRange(partition);
                long from = Math.Max(positions[partition], start);
                if (from < end)
                {
                    bytes += log.BytesFrom(partition, from);
                    oldest = Math.Min(oldest, AppendTime(partition, from));
                }
            }
        }

        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return new ShipLag(oldest == long.MaxValue ? 0 : Math.Max(0, now - oldest) / 1000.0, bytes);
    }

    /// <summary>Of the first record from an offset on; it is read once. None that can be read: it has not waited.</summary>
    private long AppendTime(int partition, long from)
    {
        if (_oldest[partition].Offset == from)
        {
            return _oldest[partition].AppendTime;
        }

        using ClickLogReader reader = log.OpenReader(partition, from);
        while (reader.Read(1) is { } chunk)
        {
            try
            {
                for (int n = 0; n < chunk.Count; n++)
                {
                    if (chunk.Records[n] is { Length: >= 0 } record)
                    {
                        _oldest[partition] = (from, record.AppendTime);
                        return record.AppendTime;
                    }
                }
            }
            finally
            {
                chunk.Return();
            }
        }

        return long.MaxValue;
    }
}
