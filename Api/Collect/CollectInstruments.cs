using System.Diagnostics.Metrics;

namespace ClickAggregator.Api.Collect;

/// <summary>What collecting counts. No id is ever a label.</summary>
internal sealed class CollectInstruments : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "ClickAggregator.Api";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _uncounted;

    public CollectInstruments(AdmissionGate gate)
    {
        _accepted = _meter.CreateCounter<long>("clicks_accepted_total", null, "Clicks stored, repeats included.");
        _rejected = _meter.CreateCounter<long>("clicks_rejected_total", null, "Clicks and requests refused, by code.");
        _uncounted = _meter.CreateCounter<long>("clicks_redirects_uncounted_total", null, "Visitors redirected without a stored click.");
        _meter.CreateObservableGauge("clicks_requests_in_flight", () => gate.Requests, null, "Posts of clicks at work.");
        _meter.CreateObservableGauge("clicks_body_bytes_in_flight", () => gate.Bytes, null, "Bytes of bodies held.");
    }

    public void Accepted(int clicks) => _accepted.Add(clicks);

    public void Rejected(string code) => _rejected.Add(1, new KeyValuePair<string, object?>("code", code));

    public void Uncounted() => _uncounted.Add(1);

    public void Dispose() => _meter.Dispose();
}
