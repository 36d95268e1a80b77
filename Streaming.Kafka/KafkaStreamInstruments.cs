using System.Diagnostics.Metrics;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>What a provider counts beyond <see cref="StreamInstruments"/>. The meter is <see cref="MeterName"/>.</summary>
public sealed class KafkaStreamInstruments
{
    /// <summary>To be named when metrics are exported.</summary>
    public const string MeterName = "ClickAggregator.Streaming.Kafka";

    private static readonly Meter s_meter = new(MeterName);
    private static readonly Counter<long> s_produced = s_meter.CreateCounter<long>(
        "kafka_stream_produced", description: "Records that the brokers acknowledged");
    private static readonly Counter<long> s_bytes = s_meter.CreateCounter<long>(
        "kafka_stream_produced_bytes", "By", "Bytes of their values");
    private static readonly Counter<long> s_failed = s_meter.CreateCounter<long>(
        "kafka_stream_produce_failures", description: "Records that were not acknowledged; they may be in the log all the same");
    private static readonly Counter<long> s_fullQueue = s_meter.CreateCounter<long>(
        "kafka_stream_produce_waits", description: "Times that a producer had to wait because the queue was full");
    private static readonly Counter<long> s_unreadable = s_meter.CreateCounter<long>(
        "kafka_stream_unreadable", description: "Records that were not what their consumer asked for");

    private readonly KeyValuePair<string, object?> _provider;

    internal KafkaStreamInstruments(string provider) => _provider = new("provider", provider);

    internal void Produced(long bytes)
    {
        s_produced.Add(1, _provider);
        s_bytes.Add(bytes, _provider);
    }

    internal void Failed(int records) => s_failed.Add(records, _provider);

    internal void Waited() => s_fullQueue.Add(1, _provider);

    internal void Unreadable(int partition) => s_unreadable.Add(1, _provider, new KeyValuePair<string, object?>("partition", partition));
}
