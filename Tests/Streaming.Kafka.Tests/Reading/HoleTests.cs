using System.Text;
using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka.Tests.Reading;

/// <summary>Offsets without records: transaction markers, aborted records, compaction.</summary>
public class HoleTests(KafkaServer kafka)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Markers_and_aborted_records_are_holes_that_slabs_cover()
    {
        await using TestTopic topic = await WithTransactionsAsync();
        await using KafkaPartitionLog log = topic.Open();

        Assert.Equal(new LogRange(0, 16), await log.GetRangeAsync(0, Cancellation));
        List<(long From, long To, long[] Offsets)> slabs = await log.SlabsAsync(0, 16);
        Assert.Equal((0, 16), (slabs[0].From, slabs[^1].To));
        Assert.Equal([0, 1, 2, 8, 9, 10, 12, 13, 14], slabs.SelectMany(slab => slab.Offsets));
    }

    [Theory]
    [InlineData(12, 16, new long[] { 12, 13, 14 })]
    [InlineData(12, 15, new long[] { 12, 13, 14 })]
    [InlineData(15, 16, new long[] { })]
    [InlineData(3, 8, new long[] { })]
    [InlineData(4, 6, new long[] { })]
    [InlineData(2, 5, new long[] { 2 })]
    [InlineData(5, 9, new long[] { 8 })]
    [InlineData(11, 12, new long[] { })]
    public async Task A_range_may_start_and_end_in_a_hole(long from, long to, long[] offsets)
    {
        await using TestTopic topic = await WithTransactionsAsync();
        await using KafkaPartitionLog log = topic.Open();

        List<(long From, long To, long[] Offsets)> slabs = await log.SlabsAsync(from, to);
        Assert.Equal((from, to), (slabs[0].From, slabs[^1].To));
        Assert.Equal(offsets, slabs.SelectMany(slab => slab.Offsets));
    }

    [Fact]
    public async Task A_reader_gets_past_markers_and_aborted_records_at_the_end_of_the_log()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        using IProducer<byte[]?, byte[]?> producer = topic.TransactionalProducer();
        TestTopic.Transaction(producer, topic.Partition(), 3, commit: true);
        TestTopic.Transaction(producer, topic.Partition(), 5, commit: false);
        await using KafkaPartitionLog log = topic.Open();
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);

        Assert.Equal([0, 1, 2], await reader.UntilAsync(10));
        Assert.Null(await reader.ReadAsync(1 << 20, Cancellation));
        Assert.Equal(new LogRange(0, 10), await log.GetRangeAsync(0, Cancellation));
    }

    [Fact]
    public async Task A_log_of_nothing_but_aborted_records_is_one_empty_slab()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        using IProducer<byte[]?, byte[]?> producer = topic.TransactionalProducer();
        TestTopic.Transaction(producer, topic.Partition(), 2_000, commit: false);
        await using KafkaPartitionLog log = topic.Open();
        await log.UntilItEndsAtAsync(2_001);

        var slab = Assert.Single(await log.SlabsAsync(0, 2_001));
        Assert.Empty(slab.Offsets);
    }

    [Fact]
    public async Task What_compaction_removed_is_a_hole()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, 1, new Dictionary<string, string>
        {
            ["cleanup.policy"] = "compact",
            ["min.cleanable.dirty.ratio"] = "0.001",
            ["segment.ms"] = "100",
            ["delete.retention.ms"] = "0",
            ["max.compaction.lag.ms"] = "100",
        });
        byte[] key = "same"u8.ToArray();
        await using KafkaPartitionLog log = topic.Open();
        // Each look writes one more record, because only segments that are closed are compacted, and the next write closes one.
        await Following.UntilAsync(async () =>
        {
            await topic.AppendAsync(0, Enumerable.Range(0, 3).Select(n => new Message<byte[]?, byte[]?> { Key = key, Value = Encoding.ASCII.GetBytes($"{n}") }));
            LogRange now = await log.GetRangeAsync(0, Cancellation);
            int records = (await log.SlabsAsync(now.Start, now.End)).Sum(slab => slab.Offsets.Length);
            await Task.Delay(100);
            return records < now.End - now.Start;
        });

        LogRange range = await log.GetRangeAsync(0, Cancellation);
        List<(long From, long To, long[] Offsets)> slabs = await log.SlabsAsync(0, range.End);
        Assert.Equal((0, range.End), (slabs[0].From, slabs[^1].To));
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);
        Assert.Equal(slabs.SelectMany(slab => slab.Offsets).Last(), (await reader.UntilAsync(range.End))[^1]);
    }

    [Fact]
    public async Task What_an_open_transaction_of_a_dead_producer_holds_back_is_not_in_the_log_yet()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await topic.AppendAsync(0, 4);
        string transactionalId = $"dies-{Guid.NewGuid():N}";
        using (IProducer<byte[]?, byte[]?> dies = topic.Producer(transactionalId))
        {
            dies.InitTransactions(TimeSpan.FromSeconds(60));
            dies.BeginTransaction();
            dies.Produce(topic.Partition(), new Message<byte[]?, byte[]?> { Value = [1] });
            dies.Flush(TimeSpan.FromSeconds(60));
        }

        await topic.AppendAsync(0, 3);
        await using KafkaPartitionLog log = topic.Open();
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);

        // The end that is told can be read, and nothing beyond it is.
        Assert.Equal(new LogRange(0, 4) { Head = 8 }, await log.GetRangeAsync(0, Cancellation));
        Assert.Equal([0, 1, 2, 3], (await log.SlabsAsync(0, 4)).SelectMany(slab => slab.Offsets));
        await Assert.ThrowsAsync<OffsetOutOfRangeException>(() => log.SlabsAsync(0, 5));
        Assert.Equal([0, 1, 2, 3], await reader.UntilAsync(4));
        Assert.Null(await reader.ReadAsync(1 << 20, Cancellation));

        // Its successor fences it and ends its transaction, as the broker does by itself after the transaction's timeout.
        using IProducer<byte[]?, byte[]?> successor = topic.Producer(transactionalId);
        successor.InitTransactions(TimeSpan.FromSeconds(60));
        await log.UntilItEndsAtAsync(9);
        Assert.Equal([5, 6, 7], await reader.UntilAsync(9));
        Assert.Equal([0, 1, 2, 3, 5, 6, 7], (await log.SlabsAsync(0, 9)).SelectMany(slab => slab.Offsets));
    }

    private async Task<TestTopic> WithTransactionsAsync()
    {
        TestTopic topic = await TestTopic.CreateAsync(kafka);
        using IProducer<byte[]?, byte[]?> producer = topic.TransactionalProducer();
        foreach (bool commit in new[] { true, false, true, true })
        {
            await Task.Run(() => TestTopic.Transaction(producer, topic.Partition(), 3, commit));
        }

        await using KafkaPartitionLog log = topic.Open();
        await log.UntilItEndsAtAsync(16);
        return topic;
    }
}
