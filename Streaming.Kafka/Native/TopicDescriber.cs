using ClickAggregator.Streaming.Kafka.Reading;

namespace ClickAggregator.Streaming.Kafka.Native;

/// <summary>
/// Asks the brokers for a topic's id and its partitions, with a client of its own. Confluent's client cannot be asked: an
/// answer with a partition that has no replica in sync, as a new one or one whose brokers died, makes it free what it goes
/// on using, which ends the process.
/// </summary>
internal sealed class TopicDescriber : IDisposable
{
    private readonly ClientHandle _client;

    public unsafe TopicDescriber(IReadOnlyDictionary<string, string> settings)
    {
        using ConfHandle conf = ConfHandle.Create();
        NativeClient.SetAll(conf, settings);

        // Confluent's client beside it hears the same of the same brokers, and says it.
        LibRdKafka.ConfSetLogCallback(conf, null);
        _client = ClientHandle.Create(ClientHandle.Producer, conf);
    }

    /// <exception cref="KafkaLogException">The brokers do not answer, or do not know the topic.</exception>
    public async Task<(TopicId Id, int Partitions)> DescribeAsync(string topic, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using QueueHandle queue = QueueHandle.Create(_client);
        using var arrival = new Arrival();
        arrival.Watch(queue);
        try
        {
            Ask(queue, topic, timeout);
            while (true)
            {
                if (Answer(queue, topic) is { } answer)
                {
                    return answer;
                }

                await arrival.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            Arrival.Unwatch(queue);
        }
    }

    /// <summary>Asks any broker which one is the controller now; waits for the answer.</summary>
    /// <returns>Whether there was one.</returns>
    public unsafe bool LookAround(TimeSpan timeout)
    {
        bool answered = LibRdKafka.Metadata(_client, 0, 0, out nint metadata, (int)timeout.TotalMilliseconds) == 0;
        if (answered)
        {
            LibRdKafka.MetadataDestroy(metadata);
        }

        return answered;
    }

    /// <summary>A question that is open ends first.</summary>
    public void Dispose() => _client.Dispose();

    private unsafe void Ask(QueueHandle queue, string topic, TimeSpan timeout)
    {
        const int DescribeTopics = 19;
        byte* error = stackalloc byte[NativeErrors.TextBytes];
        nint topics = LibRdKafka.TopicCollection([topic], 1);
        nint options = LibRdKafka.AdminOptionsNew(_client, DescribeTopics);
        try
        {
            if (LibRdKafka.AdminOptionsSetRequestTimeout(options, (int)timeout.TotalMilliseconds, error, NativeErrors.TextBytes) is not 0 and int code)
            {
                throw NativeErrors.ToException(code, NativeErrors.Text(error));
            }

            LibRdKafka.DescribeTopics(_client, topics, options, queue);
        }
        finally
        {
            LibRdKafka.AdminOptionsDestroy(options);
            LibRdKafka.TopicCollectionDestroy(topics);
        }
    }

    private static unsafe (TopicId Id, int Partitions)? Answer(QueueHandle queue, string topic)
    {
        nint answer = LibRdKafka.QueuePoll(queue, 0);
        if (answer == 0)
        {
            return null;
        }

        try
        {
            if (LibRdKafka.EventError(answer) is not 0 and int failed)
            {
                throw NativeErrors.ToException(failed, NativeErrors.Text(LibRdKafka.EventErrorString(answer)));
            }

            nint* found = LibRdKafka.DescribedTopics(LibRdKafka.EventDescribedTopics(answer), out nuint count);
            if (count != 1)
            {
                throw new InvalidDataException($"{count} topics were described where one was asked for");
            }

            nint error = LibRdKafka.TopicError(*found);
            if (LibRdKafka.ErrorCodeOf(error) is not 0 and int code)
            {
                throw NativeErrors.ToException(code, $"topic '{topic}' cannot be described: {NativeErrors.Text(LibRdKafka.ErrorString(error))}");
            }

            LibRdKafka.TopicPartitions(*found, out nuint partitions);
            nint id = LibRdKafka.TopicUuid(*found);
            return (id == 0 ? default : new TopicId(LibRdKafka.UuidMost(id), LibRdKafka.UuidLeast(id)), (int)partitions);
        }
        finally
        {
            LibRdKafka.EventDestroy(answer);
        }
    }
}
