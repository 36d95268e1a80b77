namespace ClickAggregator.Streaming.Kafka.Reading;

/// <summary>The brokers do not hold the feed's position; what they hold is still to be asked.</summary>
internal sealed class FeedOutOfRangeException(Exception inner) : Exception(inner.Message, inner);
