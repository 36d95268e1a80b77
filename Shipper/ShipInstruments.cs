using System.Diagnostics.Metrics;

namespace ClickAggregator.Shipper;

/// <summary>What shipping counts. The meter is <see cref="MeterName"/>.</summary>
public sealed class ShipInstruments : IDisposable
{
    /// <summary>To be named when metrics are exported.</summary>
    public const string MeterName = "ClickAggregator.Shipper";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _shipped;
    private readonly Counter<long> _transactions;
    private readonly Counter<long> _failures;

    internal ShipInstruments(Func<ShipLag> behind)
    {
        _shipped = _meter.CreateCounter<long>("clicks_shipped_total", "{click}", "Clicks of the click log committed to Kafka.");
        _transactions = _meter.CreateCounter<long>("clicks_ship_transactions_total", "{transaction}", "Transactions they were committed in.");
        _failures = _meter.CreateCounter<long>("clicks_ship_failures_total", "{failure}", "Times that shipping failed and began again from what is committed.");
        _meter.CreateObservableGauge(
            "clicks_ship_lag_seconds",
            () => new Measurement<double>(behind().Seconds, new KeyValuePair<string, object?>("source", "click-log")),
            "s", "How long the oldest click of the click log that is not in Kafka has waited.");
    }

    public void Dispose() => _meter.Dispose();

    internal void Committed(int clicks)
    {
        _shipped.Add(clicks);
        _transactions.Add(1);
    }

    internal void Failed() => _failures.Add(1);
}
