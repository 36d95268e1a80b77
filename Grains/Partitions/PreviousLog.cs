using ClickAggregator.Grains.DeadLetters;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Partitions;

/// <summary>The log that was counted before the one of now took its place, where this process has it; else null.</summary>
public sealed record PreviousLog(IPartitionLog? Log);

/// <summary>Where dead letters go; null where they are only counted.</summary>
public sealed record DeadLetterSink(IDeadLetters? To);
