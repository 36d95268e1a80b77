using System.Diagnostics.Metrics;

namespace ClickAggregator.Grains.Counting;

/// <summary>What counting tells about itself. Never an id as a label.</summary>
internal static class CountingInstruments
{
    private static readonly Meter Meter = new("ClickAggregator");
    private static readonly Counter<long> Counted = Meter.CreateCounter<long>("clicks_counted_total", "{click}", "Clicks that are in the counts.");
    private static readonly Counter<long> Duplicates = Meter.CreateCounter<long>("clicks_duplicates_total", "{click}", "Records that repeat a click id.");
    private static readonly Counter<long> Late = Meter.CreateCounter<long>("clicks_late_total", "{click}", "Clicks counted after their hour had ended.");
    private static readonly Counter<long> DeadLetters = Meter.CreateCounter<long>("clicks_dead_letters_total", "{record}", "Records that are no click, by reason.");
    private static readonly Histogram<long> Records = Meter.CreateHistogram<long>("clicks_batch_records", "{record}", "Records of a batch.");

    public static void Batch(FoldedBatch batch, int records)
    {
        Counted.Add(batch.Counted);
        Duplicates.Add(batch.Duplicates);
        Late.Add(batch.Late);
        Reason(batch.Unreadable, "unreadable");
        Reason(batch.Damaged, "damaged");
        Reason(batch.Expired, "expired");
        Records.Record(records);
    }

    public static void Lost(long records) => Reason(records, "lost_by_log");

    private static void Reason(long records, string reason)
    {
        if (records > 0)
        {
            DeadLetters.Add(records, new KeyValuePair<string, object?>("reason", reason));
        }
    }
}
