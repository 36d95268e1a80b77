using System.Diagnostics.Metrics;

namespace ClickAggregator.Streaming.Kafka.Tests.Clusters;

/// <summary>Adds up one counter from now on.</summary>
internal sealed class Metric : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _total;

    public Metric(string name)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == name)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _total, value));
        _listener.Start();
    }

    public long Total => Interlocked.Read(ref _total);

    public void Dispose() => _listener.Dispose();
}
