using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Tests;

public class PartitionSequenceTokenTests
{
    [Fact]
    public void Tokens_order_by_where_they_end()
    {
        var early = new PartitionSequenceToken(0, 10);
        var late = new PartitionSequenceToken(5, 11);
        Assert.True(late.Newer(early));
        Assert.True(early.Older(late));
        Assert.Equal(1, early.CompareTo(null));
        Assert.NotEqual(early, late);
    }

    [Fact]
    public void Two_ways_to_say_that_everything_below_is_processed_are_equal()
    {
        var slab = new PartitionSequenceToken(3, 10);
        Assert.Equal(slab, PartitionSequenceToken.After(10));
        Assert.Equal(slab.GetHashCode(), PartitionSequenceToken.After(10).GetHashCode());
        Assert.Equal(0, slab.CompareTo(PartitionSequenceToken.After(10)));
        Assert.Equal(10, slab.SequenceNumber);
    }

    [Fact]
    public void A_token_of_another_kind_is_neither_equal_nor_comparable()
    {
        var slab = new PartitionSequenceToken(3, 10);
        Assert.False(slab.Equals(new EventSequenceTokenV2(10)));
        Assert.Throws<ArgumentOutOfRangeException>("other", () => slab.CompareTo(new EventSequenceTokenV2(10)));
    }

    [Fact]
    public void A_range_that_runs_backwards_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PartitionSequenceToken(10, 9));
        Assert.Throws<ArgumentOutOfRangeException>(() => PartitionSequenceToken.After(-1));
    }

    [Fact]
    public void The_token_of_a_record_also_says_which_record_it_is()
    {
        PartitionSequenceToken token = PartitionSequenceToken.OfRecord(3, 5, 8);
        Assert.Equal((3L, 5L, 8L), (token.From, token.Offset, token.To));
        Assert.Equal(PartitionSequenceToken.After(8), token);
        Assert.Null(PartitionSequenceToken.After(8).Offset);
        Assert.Throws<ArgumentOutOfRangeException>(() => PartitionSequenceToken.OfRecord(3, 2, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => PartitionSequenceToken.OfRecord(3, 8, 8));
    }
}
