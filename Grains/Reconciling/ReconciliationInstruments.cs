using System.Diagnostics.Metrics;
using ClickAggregator.Grains.Counting;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>What reconciliation did, and what it has still to do.</summary>
public sealed class ReconciliationInstruments : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _corrections;
    private readonly Counter<long> _clicks;
    private readonly Counter<long> _replayed;
    private long _unreconciled;

    public ReconciliationInstruments(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(CountingInstruments.MeterName) ?? new Meter(CountingInstruments.MeterName);
        _corrections = _meter.CreateCounter<long>("clicks_corrections_total", "{window}", "windows that a recount corrected");
        _clicks = _meter.CreateCounter<long>("clicks_reconciled_clicks_total", "{click}", "archived clicks that were recounted");
        _replayed = _meter.CreateCounter<long>("clicks_replayed_clicks_total", "{click}", "archived clicks that were sent through the replay log");
        _meter.CreateObservableGauge("clicks_unreconciled_hours", () => Volatile.Read(ref _unreconciled), "{hour}", "hours of chains that are due and not final");
    }

    /// <summary>Notes a correction that was done.</summary>
    public void Corrected(CorrectionCause cause) => _corrections.Add(1, new KeyValuePair<string, object?>("cause", Name(cause)));

    /// <summary>Notes clicks that were recounted.</summary>
    public void Recounted(long clicks) => _clicks.Add(clicks);

    /// <summary>Notes clicks that went through the replay log.</summary>
    public void Replayed(long clicks) => _replayed.Add(clicks);

    /// <summary>Says how many hours are due and not final.</summary>
    public void Due(long hours) => Volatile.Write(ref _unreconciled, hours);

    public void Dispose() => _meter.Dispose();

    /// <summary>A cause as answers and metrics name it.</summary>
    public static string Name(CorrectionCause cause) => cause switch
    {
        CorrectionCause.Missed => "missed",
        CorrectionCause.Duplicate => "duplicate",
        CorrectionCause.Phantom => "phantom",
        CorrectionCause.StoreDamage => "store_damage",
        CorrectionCause.Invalidated => "invalidated",
        CorrectionCause.Restored => "restored",
        CorrectionCause.Rebuilt => "rebuilt",
        _ => "none",
    };
}
