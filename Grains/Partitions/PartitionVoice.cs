using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Partitions;

/// <summary>What the partitions of this silo have said, all together: an outage is one for all of them.</summary>
internal sealed record PartitionVoice(SeldomSaid Said);
