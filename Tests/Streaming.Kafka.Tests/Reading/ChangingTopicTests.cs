using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Confluent.Kafka.Admin;

namespace ClickAggregator.Streaming.Kafka.Tests.Reading;

/// <summary>What changes under an open reader: the log's start, the topic itself, the number of partitions.</summary>
public class ChangingTopicTests(KafkaServer kafka)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reader_whose_position_was_removed_throws_and_never_jumps()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        topic.Options.QueueBytes = 64 << 10;
        topic.Options.PartitionFetchBytes = 16 << 10;
        await topic.AppendAsync(0, 4_000, 1_000);
        await using KafkaPartitionLog log = topic.Open();
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);
        (await reader.NextAsync(10_000)).Dispose();

        await topic.DeleteRecordsAsync(0, 3_990);
        long delivered = 0;
        var fault = await reader.UntilItThrowsAsync<OffsetOutOfRangeException>(slab =>
        {
            Assert.Equal(slab.To - slab.From, slab.Count);
            delivered = slab.To;
        });

        Assert.Equal(new LogRange(3_990, 4_000), fault.Held);
        Assert.Equal(delivered, fault.From);
        Assert.InRange(reader.Position, 1, 3_989);
        // It stays so: whoever goes on looking does not get past it.
        await Assert.ThrowsAsync<OffsetOutOfRangeException>(async () => await reader.ReadAsync(1 << 20, Cancellation));
        await using IPartitionReader next = await log.OpenAsync(0, fault.Held.Start, Cancellation);
        Assert.Equal(10, (await next.UntilAsync(4_000)).Count);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(500)]
    public async Task A_topic_made_again_under_a_reader_is_not_read_as_if_it_were_the_same(int recordsAfter)
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await topic.AppendAsync(0, 50);
        await using KafkaPartitionLog log = topic.Open();
        LogId before = await log.GetLogIdAsync(Cancellation);
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);
        Assert.Equal(50, (await reader.UntilAsync(50)).Count);

        await topic.DeleteTopicAsync();
        await Following.UntilAsync(() => WhereNotRefusedAsync<CreateTopicsException>(async () =>
        {
            await topic.CreateTopicAsync(1);
            return true;
        }));
        await Following.UntilAsync(() => WhereNotRefusedAsync<KafkaLogException>(async () => await log.GetLogIdAsync(Cancellation) != before));
        await using KafkaPartitionLog another = topic.Open();
        // A broker may still take some into the topic that it is about to delete.
        await Following.UntilAsync(async () =>
        {
            int missing = recordsAfter - (int)(await another.GetRangeAsync(0, Cancellation)).End;
            await topic.AppendAsync(0, missing);
            return missing == 0;
        });
        int delivered = 0;
        var fault = await reader.UntilItThrowsAsync<KafkaLogReplacedException>(_ => delivered++);

        Assert.Equal(0, delivered);
        Assert.False(fault.IsTransient);
        Assert.EndsWith(fault.Read, before.Value, StringComparison.Ordinal);
        LogId after = await log.GetLogIdAsync(Cancellation);
        Assert.EndsWith(fault.Found, after.Value, StringComparison.Ordinal);
        Assert.NotEqual(before, after);

        // This log stays with the topic that it knew; another one may take up the new topic.
        await Assert.ThrowsAsync<KafkaLogReplacedException>(async () => await log.GetRangeAsync(0, Cancellation));
        await Assert.ThrowsAsync<KafkaLogReplacedException>(async () => await log.OpenAsync(0, 0, Cancellation));
        await Assert.ThrowsAsync<KafkaLogReplacedException>(() => log.SlabsAsync(0, 5));
        Assert.Equal(recordsAfter, (await another.SlabsAsync(0, recordsAfter)).Sum(slab => slab.Offsets.Length));
    }

    [Fact]
    public async Task A_topic_that_is_gone_cannot_be_asked()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await using KafkaPartitionLog log = topic.Open();
        await log.GetLogIdAsync(Cancellation);
        await topic.DeleteTopicAsync();

        await Following.UntilAsync(async () =>
        {
            try
            {
                await log.GetLogIdAsync(Cancellation);
                return false;
            }
            catch (KafkaLogException fault)
            {
                Assert.Equal(ErrorCode.UnknownTopicOrPart, fault.Code);
                Assert.Contains(topic.Name, fault.Message, StringComparison.Ordinal);
                return true;
            }
        });
    }

    [Fact]
    public async Task Partitions_that_are_added_can_be_read_while_running()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await topic.AppendAsync(0, 10);
        await using KafkaPartitionLog log = topic.Open();
        await using IPartitionReader first = await log.OpenAsync(0, 0, Cancellation);
        await first.UntilAsync(10);
        await log.SlabsAsync(0, 10);

        await topic.Admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic.Name, IncreaseTo = 3 }]);
        await Following.UntilAsync(async () => await log.GetPartitionCountAsync(Cancellation) == 3);
        // Another writer: the one before does not know of the partition yet.
        await topic.AppendNewlyAsync(2, 7);
        await using IPartitionReader added = await log.OpenAsync(2, 0, Cancellation);
        Assert.Equal(7, (await added.UntilAsync(7)).Count);
        Assert.Equal(7, (await log.SlabsAsync(0, 7, 2)).Sum(slab => slab.Offsets.Length));
        await topic.AppendAsync(0, 1);
        Assert.Equal([10], await first.UntilAsync(11));
    }

    [Fact]
    public async Task A_partition_that_the_topic_does_not_have_cannot_be_read()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await using KafkaPartitionLog log = topic.Open();
        var fault = await Assert.ThrowsAsync<KafkaLogException>(async () => await log.OpenAsync(5, 0, Cancellation));
        Assert.False(fault.IsTransient);
        Assert.Contains("has 1 partitions, and 5 is none of them", fault.Message, StringComparison.Ordinal);
    }

    private static async Task<bool> WhereNotRefusedAsync<TRefusal>(Func<Task<bool>> attempt)
        where TRefusal : Exception
    {
        try
        {
            return await attempt();
        }
        catch (TRefusal)
        {
            return false;
        }
    }
}
