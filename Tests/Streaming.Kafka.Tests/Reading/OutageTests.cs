using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Servers;

namespace ClickAggregator.Streaming.Kafka.Tests.Reading;

/// <summary>A broker of its own that goes and comes back.</summary>
public class OutageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reader_says_that_the_broker_is_away_and_goes_on_by_itself_when_it_is_back()
    {
        await using ServerScript? script = ServerScript.New();
        Assert.SkipWhen(script is null, "needs a broker that it may stop: the servers script");
        await script.StartKafkaAsync();
        var options = new KafkaLogOptions
        {
            BootstrapServers = script.Kafka,
            Topic = "outage",
            Partitions = 2,
            RequestTimeout = TimeSpan.FromSeconds(5),
        };
        Assert.True(await KafkaTopics.EnsureAsync(options, cancellationToken: Cancellation));
        await using TestTopic topic = TestTopic.Existing(options);
        await topic.AppendAsync(0, 30);
        await using var log = new KafkaPartitionLog(options);
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);
        await using IPartitionReader idle = await log.OpenAsync(1, 0, Cancellation);
        await reader.UntilAsync(30);

        await script.StopKafkaAsync();
        var fault = await reader.UntilItThrowsAsync<KafkaLogException>();
        Assert.True(fault.IsTransient, fault.ToString());
        Assert.True((await idle.UntilItThrowsAsync<KafkaLogException>()).IsTransient);
        var asked = await Assert.ThrowsAsync<KafkaLogException>(async () => await log.GetRangeAsync(0, Cancellation));
        Assert.True(asked.IsTransient, asked.ToString());
        Assert.True((await Assert.ThrowsAsync<KafkaLogException>(async () => await log.OpenAsync(0, 30, Cancellation))).IsTransient);

        await script.StartKafkaAsync();
        await topic.AppendAsync(0, 5);
        await topic.AppendAsync(1, 2);
        Assert.Equal([30, 31, 32, 33, 34], await GoOnAsync(reader, 35));
        Assert.Equal([0, 1], await GoOnAsync(idle, 2));
    }

    // The client library may report the outage more than once, also while it ends.
    private static async Task<List<long>> GoOnAsync(IPartitionReader reader, long end)
    {
        var offsets = new List<long>();
        await Following.UntilAsync(async () =>
        {
            try
            {
                if (await reader.ReadAsync(1 << 20, Cancellation) is { } slab)
                {
                    offsets.AddRange(slab.Records.ToArray().Select(record => record.Offset));
                    slab.Release();
                }
            }
            catch (KafkaLogException fault) when (fault.IsTransient)
            {
            }

            return reader.Position == end;
        });
        return offsets;
    }
}
