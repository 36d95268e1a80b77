using System.Diagnostics.Metrics;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>What the store tells about itself.</summary>
internal static class StoreInstruments
{
    private static readonly Meter Meter = new("ClickAggregator");
    private static readonly Histogram<double> Seconds = Meter.CreateHistogram<double>("clicks_commit_seconds", "s", "Duration of a transaction of the store.");
    private static readonly Counter<long> Rows = Meter.CreateCounter<long>("clicks_store_writes_total", "{write}", "Writes committed by the store.");

    public static void Committed(TimeSpan duration, int writes)
    {
        Seconds.Record(duration.TotalSeconds);
        Rows.Add(writes);
    }
}
