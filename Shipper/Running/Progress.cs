using System.Globalization;
using ClickAggregator.ClickLog;
using ClickAggregator.ClickLog.Watch;

namespace ClickAggregator.Shipper.Running;

/// <summary>How far everything is, in one line; nothing where there is nothing to say since the last one.</summary>
internal sealed class Progress(PartitionedClickLog log, LogShipper shipper, Func<IReadOnlyList<WatchStatus>> following)
{
    private long _said;

    /// <summary>Clicks of the log that are not in Kafka; all of them while it is not known how far it is shipped.</summary>
    public long Waiting => Enumerable.Range(0, log.Partitions).Sum(partition =>
    {
        (long start, long end) = log.GetRange(partition);
        return end - (shipper.Status.Positions is { Count: > 0 } positions ? positions[partition] : start);
    });

    public string? Line()
    {
        ShipStatus ship = shipper.Status;
        IReadOnlyList<WatchStatus> files = following();
        long waiting = Waiting;
        long more = ship.Clicks - _said;
        _said = ship.Clicks;
        WatchStatus[] troubled = [.. files.Where(file => file.State is "click log full" or "cannot be read")];
        if (more == 0 && waiting == 0 && ship.State == ShipState.Shipping && troubled.Length == 0)
        {
            return null;
        }

        string state = ship.State == ShipState.Shipping ? "shipping" : $"{ship.State.ToString().ToLowerInvariant()} ({ship.Detail})";
        string trouble = troubled.Length == 0 ? "" : $"; {troubled[0].Path}: {troubled[0].State}{(troubled.Length == 1 ? "" : ", and others")}";
        return string.Create(CultureInfo.InvariantCulture,
            $"{state}: {more:N0} clicks shipped since the last line, {waiting:N0} wait in the click log ({shipper.Behind().Seconds:F1} s), "
            + $"at [{string.Join(' ', ship.Positions)}]; {files.Count:N0} files followed, {files.Sum(file => file.BytesBehind):N0} bytes of them not read{trouble}");
    }
}
