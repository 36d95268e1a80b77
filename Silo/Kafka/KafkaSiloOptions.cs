using ClickAggregator.Streaming.Kafka;

namespace ClickAggregator.Silo.Kafka;

/// <summary>Kafka in the place of the click log.</summary>
/// <param name="Clicks">The topic that is counted.</param>
/// <param name="DeadLetters">The topic of records that hold no click.</param>
/// <param name="Replay">The topic that archived clicks go through once more.</param>
public sealed record KafkaSiloOptions(KafkaLogOptions Clicks, KafkaLogOptions DeadLetters, KafkaLogOptions Replay);
