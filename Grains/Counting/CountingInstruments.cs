using System.Diagnostics.Metrics;

namespace ClickAggregator.Grains.Counting;

/// <summary>What was counted, and what was not and why. Noted once a batch completed, so a replay adds nothing twice.</summary>
public sealed class CountingInstruments : IDisposable
{
    /// <summary>The name of the program's meter.</summary>
    public const string MeterName = "ClickAggregator";

    private readonly Meter _meter;
    private readonly Counter<long> _counted;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _late;
    private readonly Counter<long> _deadLetters;
    private readonly Histogram<long> _records;

    public CountingInstruments(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _counted = _meter.CreateCounter<long>("clicks_counted_total", "{click}", "clicks counted");
        _duplicates = _meter.CreateCounter<long>("clicks_duplicates_total", "{click}", "repeats of a click, dropped");
        _late = _meter.CreateCounter<long>("clicks_late_total", "{click}", "counted clicks whose hour had ended when they were appended");
        _deadLetters = _meter.CreateCounter<long>("clicks_dead_letters_total", "{record}", "records that could not be counted");
        _records = _meter.CreateHistogram("clicks_batch_records", "{record}", "records of the log that one batch took",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 10, 100, 1000, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000] });
    }

    /// <summary>Notes a completed batch.</summary>
    public void Note(FoldedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        _records.Record(batch.Counted + batch.Duplicates + batch.Unreadable + batch.Damaged + batch.Expired);
        Add(_counted, batch.Counted);
        Add(_duplicates, batch.Duplicates);
        for (int age = 0; age < LateAges.Count; age++)
        {
            Add(_late, batch.LateByAge[age], "age", LateAges.Name(age));
        }

        foreach ((string reason, long records) in batch.UnreadableBy)
        {
            Add(_deadLetters, records, "reason", reason);
        }

        Add(_deadLetters, batch.Damaged, "reason", "damaged");
        Add(_deadLetters, batch.Expired, "reason", "expired");
    }

    public void Dispose() => _meter.Dispose();

    private static void Add(Counter<long> counter, long value)
    {
        if (value > 0)
        {
            counter.Add(value);
        }
    }

    private static void Add(Counter<long> counter, long value, string label, string of)
    {
        if (value > 0)
        {
            counter.Add(value, new KeyValuePair<string, object?>(label, of));
        }
    }
}
