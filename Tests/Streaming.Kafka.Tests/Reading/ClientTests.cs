using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Streaming.Kafka.Tests.Reading;

/// <summary>How many native clients there are.</summary>
public class ClientTests(KafkaServer kafka)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Readers_of_many_partitions_share_a_client_and_readers_of_one_do_not()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, 8);
        await using KafkaPartitionLog log = topic.Open();
        Assert.Equal((0, 0), log.Clients);
        var readers = new List<IPartitionReader>();
        for (int partition = 0; partition < 8; partition++)
        {
            readers.Add(await log.OpenAsync(partition, 0, Cancellation));
        }

        Assert.Equal((1, 0), log.Clients);
        await using (IPartitionReader second = await log.OpenAsync(3, 0, Cancellation))
        {
            Assert.Equal((2, 0), log.Clients);
            await topic.AppendAsync(3, 5);
            Assert.Equal(5, (await second.UntilAsync(5)).Count);
            Assert.Equal(5, (await readers[3].UntilAsync(5)).Count);
            Assert.Equal(5, (await log.SlabsAsync(0, 5, 3)).Sum(slab => slab.Offsets.Length));
        }

        foreach (IPartitionReader reader in readers)
        {
            await reader.DisposeAsync();
        }

        // The idle ones are kept for the next readers.
        Assert.Equal((2, 1), log.Clients);
    }

    [Fact]
    public async Task A_partition_is_read_again_and_again_with_the_same_client()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await using KafkaPartitionLog log = topic.Open();
        await topic.AppendAsync(0, 50);
        for (int from = 0; from < 50; from++)
        {
            await using IPartitionReader reader = await log.OpenAsync(0, from, Cancellation);
            Assert.Equal(50 - from, (await reader.UntilAsync(50)).Count);
            Assert.Equal(50 - from, (await log.SlabsAsync(from, 50)).Sum(slab => slab.Offsets.Length));
        }

        Assert.Equal((1, 1), log.Clients);
    }

    [Fact]
    public async Task A_range_that_is_left_early_gives_its_client_back()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await using KafkaPartitionLog log = topic.Open();
        await topic.AppendAsync(0, 50);
        for (int round = 0; round < 3; round++)
        {
            await foreach (Slab slab in log.ReadAsync(0, 0, 50, Cancellation))
            {
                slab.Release();
                break;
            }
        }

        Assert.Equal((0, 1), log.Clients);
    }

    [Fact]
    public async Task Clients_that_nobody_reads_with_are_closed_after_a_while()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        var time = new FakeTimeProvider();
        await using var log = new KafkaPartitionLog(topic.Options, time: time);
        await topic.AppendAsync(0, 5);
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);
        Assert.Equal(5, (await log.SlabsAsync(0, 5)).Sum(slab => slab.Offsets.Length));
        Assert.Equal((1, 1), log.Clients);

        time.Advance(topic.Options.KeepClients * 2);
        Assert.Equal((1, 0), log.Clients);
        Assert.Equal(5, (await reader.UntilAsync(5)).Count);
    }

    [Fact]
    public async Task A_reader_that_is_open_when_the_log_is_closed_can_still_be_closed()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        KafkaPartitionLog log = topic.Open();
        await topic.AppendAsync(0, 5);
        IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);
        await log.DisposeAsync();
        Assert.Equal(5, (await reader.UntilAsync(5)).Count);
        await reader.DisposeAsync();
        await reader.DisposeAsync();
        Assert.Equal((0, 0), log.Clients);
    }
}
