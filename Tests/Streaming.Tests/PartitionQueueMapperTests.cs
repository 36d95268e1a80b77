using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Tests;

public class PartitionQueueMapperTests
{
    private readonly PartitionQueueMapper _mapper = new("log", "clicks", 12);

    [Fact]
    public void Each_partition_has_its_queue_and_its_stream_and_they_belong_together()
    {
        QueueId[] queues = [.. _mapper.GetAllQueues()];
        Assert.Equal(Enumerable.Range(0, 12), queues.Select(PartitionQueueMapper.PartitionOf));
        Assert.All(queues, queue => Assert.Equal(
            queue, _mapper.GetQueueForStream(_mapper.StreamOf(PartitionQueueMapper.PartitionOf(queue)))));
    }

    [Theory]
    [InlineData("12")]
    [InlineData("-1")]
    [InlineData("3x")]
    [InlineData("abc")]
    public void A_stream_that_is_no_partition_is_refused(string key) =>
        Assert.Throws<ArgumentException>(() => _mapper.GetQueueForStream(StreamId.Create("clicks", key)));
}
