using System.Diagnostics.Metrics;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Health;

/// <summary>How far the counting is behind the click log, and how full the log is; read when somebody asks.</summary>
internal sealed class ProgressInstruments : IDisposable
{
    private readonly Meter _meter = new("ClickAggregator.Progress");
    private readonly CountedLog _counted;
    private readonly TimeProvider _time;

    public ProgressInstruments(PartitionedClickLog log, CountedLog counted, TimeProvider time)
    {
        _counted = counted;
        _time = time;
        _meter.CreateObservableGauge("clicks_log_bytes", () => log.Bytes, null, "Bytes of the click log on disk.");
        _meter.CreateObservableGauge("clicks_log_bytes_limit", () => log.MaxBytes, null, "Bytes at which the click log takes no more.");
        _meter.CreateObservableGauge("clicks_log_damaged_places", () => log.Damage.Count, null, "Places of the click log that cannot be read, the first 1,000.");
        _meter.CreateObservableGauge("clicks_log_damaged_records", () => log.DamagedRecords, null, "Clicks of the click log that cannot be read, in all places.");
        _meter.CreateObservableGauge("clicks_lag_records", LagRecords, null, "Clicks in the log that are not counted yet.");
        _meter.CreateObservableGauge("clicks_lag_seconds", LagSeconds, null, "Age of the moment up to which everything is counted.");
    }

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> LagRecords() =>
        _counted.Partitions().Select(progress => new Measurement<long>(Math.Max(0, progress.End - progress.Next), Label(progress.Partition)));

    private IEnumerable<Measurement<double>> LagSeconds()
    {
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (PartitionProgress progress in _counted.Partitions().Where(progress => progress.CountedUntil > 0))
        {
            yield return new Measurement<double>(Math.Max(0, now - progress.CountedUntil) / 1000.0, Label(progress.Partition));
        }
    }

    private static KeyValuePair<string, object?> Label(int partition) => new("partition", partition);
}
