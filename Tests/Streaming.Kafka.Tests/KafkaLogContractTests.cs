using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using ClickAggregator.Streaming.Tests.Contracts;

namespace ClickAggregator.Streaming.Kafka.Tests;

/// <summary>A topic of a real broker keeps the contract of every partitioned log.</summary>
public class KafkaLogContractTests(KafkaServer kafka) : PartitionLogContract
{
    protected override async Task<ILogUnderTest> OpenAsync(int partitions) =>
        new UnderTest(await TestTopic.CreateAsync(kafka, partitions));

    private sealed class UnderTest(TestTopic topic) : ILogUnderTest
    {
        private readonly KafkaPartitionLog _log = topic.Open();

        public IPartitionLog Log => new ArrivingLog(_log);

        public Task AppendAsync(int partition, int records) => topic.AppendAsync(partition, records);

        public async Task<bool> TryForgetOldestAsync(int partition)
        {
            LogRange range = await _log.GetRangeAsync(partition, CancellationToken.None);
            await topic.DeleteRecordsAsync(partition, (range.Start + range.End) / 2);
            return true;
        }

        public async ValueTask DisposeAsync()
        {
            await _log.DisposeAsync();
            await topic.DisposeAsync();
        }
    }
}

/// <summary>The same with the holes that transactions leave: each append is a transaction, with an aborted one behind it.</summary>
public class TransactionalKafkaLogContractTests(KafkaServer kafka) : PartitionLogContract
{
    protected override async Task<ILogUnderTest> OpenAsync(int partitions) =>
        new UnderTest(await TestTopic.CreateAsync(kafka, partitions));

    private sealed class UnderTest(TestTopic topic) : ILogUnderTest
    {
        private readonly KafkaPartitionLog _log = topic.Open();
        private readonly Confluent.Kafka.IProducer<byte[]?, byte[]?> _producer = topic.TransactionalProducer();

        public IPartitionLog Log => new ArrivingLog(_log);

        public async Task AppendAsync(int partition, int records)
        {
            LogRange before = await _log.GetRangeAsync(partition, CancellationToken.None);
            await Task.Run(() =>
            {
                TestTopic.Transaction(_producer, topic.Partition(partition), records, commit: true);
                TestTopic.Transaction(_producer, topic.Partition(partition), 2, commit: false);
            });
            // Each of the two has a marker.
            await _log.UntilItEndsAtAsync(before.End + records + 1 + 2 + 1, partition);
        }

        public async Task<bool> TryForgetOldestAsync(int partition)
        {
            LogRange range = await _log.GetRangeAsync(partition, CancellationToken.None);
            await topic.DeleteRecordsAsync(partition, (range.Start + range.End) / 2);
            return true;
        }

        public async ValueTask DisposeAsync()
        {
            _producer.Dispose();
            await _log.DisposeAsync();
            await topic.DisposeAsync();
        }
    }
}
