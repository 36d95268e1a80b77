using System.Diagnostics.Metrics;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>What the store tells about itself.</summary>
internal static class StoreInstruments
{
    private static readonly Meter Meter = new("ClickAggregator");
    private static readonly Histogram<double> Seconds = Meter.CreateHistogram("clicks_commit_seconds", "s", "Duration of a transaction of the store.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });

    private static readonly Counter<long> Rows = Meter.CreateCounter<long>("clicks_store_writes_total", "{write}", "Writes committed by the store.");

    public static void Committed(TimeSpan duration, int writes)
    {
        Seconds.Record(duration.TotalSeconds);
        Rows.Add(writes);
    }
}
