using System.Diagnostics.Metrics;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>What following files counts.</summary>
internal sealed class WatchInstruments : IDisposable
{
    private readonly Meter _meter = new("ClickAggregator.Watch");
    private readonly Counter<long> _clicks;
    private readonly Counter<long> _deadLetters;

    public WatchInstruments(Func<IReadOnlyList<WatchStatus>> status)
    {
        _clicks = _meter.CreateCounter<long>("clicks_watched_total", null, "Clicks of watched files stored.");
        _deadLetters = _meter.CreateCounter<long>("clicks_dead_letters_total", null, "Lines of watched files that were no clicks, by reason.");
        _meter.CreateObservableGauge("clicks_ship_lag_seconds",
            () => status().Select(file => new Measurement<double>(file.SecondsBehind, new KeyValuePair<string, object?>("source", file.Path))),
            null, "How long the oldest unread byte of a watched file has waited.");
    }

    public void Clicks(int count) => _clicks.Add(count);

    public void DeadLetter(string reason) => _deadLetters.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Dispose() => _meter.Dispose();
}
