using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// The topic was deleted and made again: under its name there is another log now, whose offsets mean other records.
/// </summary>
[GenerateSerializer, Alias("ClickAggregator.Streaming.Kafka.KafkaLogReplacedException")]
public sealed class KafkaLogReplacedException : KafkaLogException
{
    internal KafkaLogReplacedException(string topic, TopicId read, TopicId found)
        : base(
            ErrorCode.UnknownTopicOrPart,
            $"topic '{topic}' is another one than was read from here: its id was {read} and is {found}; it was deleted and made again, and its offsets mean other records. Nothing is read from it until the program starts again",
            isTransient: false)
    {
        Read = read.ToString();
        Found = found.ToString();
    }

    /// <summary>The id of the topic that was read.</summary>
    [Id(0)]
    public string Read { get; }

    /// <summary>The id that the topic of that name has now.</summary>
    [Id(1)]
    public string Found { get; }
}
