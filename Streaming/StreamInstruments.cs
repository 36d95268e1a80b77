using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ClickAggregator.Streaming;

/// <summary>What the streams count, per provider and partition. The meter is <see cref="MeterName"/>.</summary>
public sealed class StreamInstruments
{
    /// <summary>To be named when metrics are exported.</summary>
    public const string MeterName = "ClickAggregator.Streaming";

    private static readonly Meter s_meter = new(MeterName);
    private static readonly Counter<long> s_slabs = s_meter.CreateCounter<long>(
        "stream_slabs", description: "Slabs read for delivery");
    private static readonly Counter<long> s_records = s_meter.CreateCounter<long>(
        "stream_records", description: "Records in those slabs");
    private static readonly Counter<long> s_bytes = s_meter.CreateCounter<long>(
        "stream_bytes", "By", "Bytes of those records");
    private static readonly Counter<long> s_faults = s_meter.CreateCounter<long>(
        "stream_read_faults", description: "Reads that failed and were tried again");
    private static readonly Counter<long> s_moves = s_meter.CreateCounter<long>(
        "stream_moves", description: "Moves of the reading to where a consumer stands");
    private static readonly UpDownCounter<long> s_cached = s_meter.CreateUpDownCounter<long>(
        "stream_cache_bytes", "By", "Bytes read ahead of the consumers");

    private readonly TagList _tags;

    internal StreamInstruments(string provider, int partition) =>
        _tags = new TagList { { "provider", provider }, { "partition", partition } };

    internal void Read(Slab slab)
    {
        s_slabs.Add(1, _tags);
        s_records.Add(slab.Count, _tags);
        s_bytes.Add(slab.DataLength, _tags);
    }

    internal void ReadFailed() => s_faults.Add(1, _tags);

    internal void Moved() => s_moves.Add(1, _tags);

    internal void Cached(long bytes) => s_cached.Add(bytes, _tags);
}
