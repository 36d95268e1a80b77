using ClickAggregator.Streaming.Caching;
using CsCheck;
using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Tests.Caching;

public class SlabCacheTests
{
    private static readonly StreamId s_stream = StreamId.Create("clicks", 0L);

    [Fact]
    public void A_cursor_delivers_from_the_slab_of_its_token_on()
    {
        SlabCache cache = Filled(1 << 20, (0, 10), (10, 20), (20, 30));
        using IQueueCacheCursor cursor = cache.GetCacheCursor(s_stream, new PartitionSequenceToken(10, 20));
        Assert.Equal([20, 30], Drain(cursor));
    }

    [Theory]
    [InlineData(0, new long[] { 10, 20, 30 })]
    [InlineData(1, new long[] { 10, 20, 30 })]
    [InlineData(10, new long[] { 10, 20, 30 })]
    [InlineData(11, new long[] { 20, 30 })]
    [InlineData(30, new long[] { 30 })]
    [InlineData(31, new long[] { })]
    public void A_token_of_a_next_offset_finds_the_slab_that_ends_there_or_above(long next, long[] ends)
    {
        // The one that ends there is what Orleans takes for processed, and steps over.
        SlabCache cache = Filled(1 << 20, (0, 10), (10, 20), (20, 30));
        using IQueueCacheCursor cursor = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(next));
        Assert.Equal(ends, Drain(cursor));
        Assert.Equal(0, cache.Epoch);
    }

    [Fact]
    public void What_no_cursor_needs_is_released_and_what_is_being_delivered_is_not()
    {
        var slabs = new[] { Slabs.Of(0, 10), Slabs.Of(10, 20), Slabs.Of(20, 30) };
        SlabCache cache = Filled(1 << 20, slabs);
        using IQueueCacheCursor fast = cache.GetCacheCursor(s_stream, null);
        using IQueueCacheCursor slow = cache.GetCacheCursor(s_stream, null);
        Assert.Equal([10, 20, 30], Drain(fast));
        Move(slow);
        Move(slow);

        cache.TryPurgeFromCache(out _);
        Assert.Equal([true, false, false], slabs.Select(slab => slab.IsGone()));

        Move(slow);
        cache.TryPurgeFromCache(out _);
        Assert.Equal([true, true, false], slabs.Select(slab => slab.IsGone()));

        Assert.Equal(QueueCacheCursorMoveResultKind.NoData, slow.MoveNextWithResult().Kind);
        cache.TryPurgeFromCache(out _);
        Assert.All(slabs, slab => Assert.True(slab.IsGone()));
        Assert.Equal((0, 0L), (cache.Slabs, cache.Bytes));
    }

    [Fact]
    public void A_consumer_that_holds_a_lease_keeps_its_slab_through_a_purge()
    {
        Slab slab = Slabs.Of(0, 10);
        SlabCache cache = Filled(1 << 20, slab);
        Assert.True(slab.TryAcquire());
        cache.Clear();
        Assert.Equal(3, slab.Value(slab.Records[3])[0]);
        slab.Release();
        Assert.True(slab.IsGone());
    }

    [Fact]
    public void What_is_being_delivered_outlives_a_move_of_the_receiver_by_another_consumer()
    {
        Slab slab = Slabs.Of(10, 20);
        SlabCache cache = Filled(1 << 20, slab);
        IQueueCacheCursor slow = cache.GetCacheCursor(s_stream, null);
        Move(slow);
        using IQueueCacheCursor back = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(5));
        Assert.Equal(1, cache.Epoch);
        Assert.False(slab.IsGone());
        slow.Dispose();
        Assert.True(slab.IsGone());
    }

    [Theory]
    [InlineData(12, 12, null, 12)]
    [InlineData(20, 20, null, 20)]
    [InlineData(11, 13, 12L, 13)]
    [InlineData(8, 13, null, 13)]
    [InlineData(10, 20, null, 0)]
    public void A_consumer_that_resumes_within_a_slab_gets_the_items_that_it_does_not_have(long from, long to, long? offset, long least)
    {
        SlabCache cache = Filled(1 << 20, (0, 10), (10, 20), (20, 30));
        PartitionSequenceToken token = offset is { } at
            ? PartitionSequenceToken.OfRecord(from, at, to)
            : new PartitionSequenceToken(from, to);
        using IQueueCacheCursor cursor = cache.GetCacheCursor(s_stream, token);
        Move(cursor);
        Assert.Equal((20, least), (((SlabContainer)cursor.GetCurrent(out _)!).Token.To, ((SlabContainer)cursor.GetCurrent(out _)!).Least));
        Move(cursor);
        Assert.Equal(0, ((SlabContainer)cursor.GetCurrent(out _)!).Least);
    }

    [Fact]
    public void A_token_below_what_is_held_moves_the_receiver_back_there()
    {
        var old = new[] { Slabs.Of(100, 110), Slabs.Of(110, 120) };
        SlabCache cache = Filled(1 << 20, old);
        using IQueueCacheCursor cursor = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(42));

        Assert.Equal((1, 42L), (cache.Epoch, cache.Next));
        Assert.All(old, slab => Assert.True(slab.IsGone()));
        Assert.Equal(QueueCacheCursorMoveResultKind.NoData, cursor.MoveNextWithResult().Kind);

        Slab late = Slabs.Of(120, 130);
        cache.AddToCache([new SlabContainer(s_stream, late) { Epoch = 0 }]);
        Assert.True(late.IsGone(), "what was read before the move must not be taken in after it");

        Add(cache, Slabs.Of(42, 110));
        Assert.Equal([110], Drain(cursor));
    }

    [Fact]
    public void A_token_below_moves_the_receiver_also_when_nothing_is_held()
    {
        SlabCache cache = Filled(1 << 20, (0, 10), (10, 20));
        cache.Clear();
        using IQueueCacheCursor cursor = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(20));
        Assert.Equal(0, cache.Epoch);
        using IQueueCacheCursor below = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(19));
        Assert.Equal((1, 19L), (cache.Epoch, cache.Next));
    }

    [Fact]
    public void A_token_below_what_the_log_still_holds_moves_the_receiver_no_further_than_there()
    {
        SlabCache cache = Filled(1 << 20, (0, 10));
        cache.LeaveBehind(50);
        cache.Clear();
        Add(cache, Slabs.Of(50, 60));
        using IQueueCacheCursor first = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(10));
        Assert.Equal(0, cache.Epoch);
        Assert.Equal([60], Drain(first));

        cache.TryPurgeFromCache(out _);
        using IQueueCacheCursor again = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(10));
        Assert.Equal((1, 50L), (cache.Epoch, cache.Next));
    }

    [Fact]
    public void Another_cursor_does_not_see_again_what_the_receiver_reads_again()
    {
        SlabCache cache = Filled(1 << 20, (0, 10), (10, 20));
        using IQueueCacheCursor ahead = cache.GetCacheCursor(s_stream, null);
        Assert.Equal([10, 20], Drain(ahead));
        cache.TryPurgeFromCache(out _);
        using IQueueCacheCursor back = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(5));
        Add(cache, Slabs.Of(5, 15));
        Add(cache, Slabs.Of(15, 25));
        Assert.Equal([25], Drain(ahead));
        Assert.Equal([15, 25], Drain(back));
    }

    [Fact]
    public void The_receiver_skips_what_every_consumer_has_behind_it()
    {
        SlabCache cache = Filled(1 << 20, (0, 10));
        using IQueueCacheCursor far = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(1000));
        IQueueCacheCursor near = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(10));
        cache.SkipProcessed();
        Assert.Equal(10, cache.Next);

        near.Dispose();
        cache.SkipProcessed();
        Assert.Equal(1000, cache.Next);
        Assert.Equal(0, cache.Slabs);
    }

    [Fact]
    public void The_latest_position_delivers_only_what_comes_later()
    {
        SlabCache cache = Filled(1 << 20, (0, 10), (10, 20));
        using IQueueCacheCursor latest =
            cache.TryGetCacheCursorAtPosition(s_stream, StreamSubscriptionStartPosition.Latest).Cursor!;
        using IQueueCacheCursor earliest =
            cache.TryGetCacheCursorAtPosition(s_stream, StreamSubscriptionStartPosition.EarliestAvailable).Cursor!;
        cache.SkipProcessed();
        Add(cache, Slabs.Of(20, 30));
        Assert.Equal([30], Drain(latest));
        Assert.Equal([10, 20, 30], Drain(earliest));
    }

    [Fact]
    public void At_its_bound_the_cache_has_no_room_and_never_blocks_its_own_purge()
    {
        SlabCache cache = Filled(5000, Slabs.Of(0, 10, 200), Slabs.Of(10, 20, 200));
        Assert.False(cache.HasRoom);
        Assert.NotEqual(0, cache.GetMaxAddCount());
        using IQueueCacheCursor cursor = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(20));
        Move(cursor);
        Assert.Equal(QueueCacheCursorMoveResultKind.NoData, cursor.MoveNextWithResult().Kind);
        cache.TryPurgeFromCache(out _);
        Assert.True(cache.HasRoom);
    }

    [Fact]
    public void Without_a_consumer_a_full_cache_drops_what_it_has_instead_of_stopping_for_ever()
    {
        Slab slab = Slabs.Of(0, 10, 1000);
        SlabCache cache = Filled(5000, slab);
        Assert.False(cache.HasRoom);
        cache.TryPurgeFromCache(out _);
        Assert.True(cache.HasRoom);
        Assert.True(slab.IsGone());
        Assert.Equal(10, cache.Next);
    }

    [Fact]
    public void A_token_of_another_provider_is_refused() =>
        Assert.Throws<InvalidCastException>(() => Filled(1 << 20, (0, 10)).GetCacheCursor(
            s_stream, new Orleans.Providers.Streams.Common.EventSequenceTokenV2(1)));

    /// <summary>
    /// One consumer, any order of appends, deliveries, purges and resumptions: what it gets is always the next it
    /// wants, and in the end every slab was released exactly once.
    /// </summary>
    [Fact]
    public void Whatever_happens_the_consumer_misses_nothing_and_no_lease_is_lost() =>
        Gen.Int[0, 5].Array[1, 120].Select(Gen.Int[0, 1 << 20]).Sample((steps, seed) =>
        {
            var random = new Random(seed);
            var cache = new SlabCache(20_000, 1000, new StreamInstruments("log", 0));
            var slabs = new List<Slab>();
            cache.ReadFrom(0);
            long next = 0;
            IQueueCacheCursor cursor = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(0));
            foreach (int step in steps)
            {
                switch (step)
                {
                    case 0 or 1:
                        cache.SkipProcessed();
                        if (cache.HasRoom)
                        {
                            Slab slab = Slabs.Of(cache.Next!.Value, cache.Next.Value + random.Next(1, 20));
                            slabs.Add(slab);
                            Add(cache, slab);
                        }

                        break;
                    case 2 or 3:
                        while (cursor.MoveNextWithResult().Kind == QueueCacheCursorMoveResultKind.Success)
                        {
                            var token = (PartitionSequenceToken)cursor.GetCurrent(out _)!.SequenceToken;
                            Assert.True(token.From <= next, $"a gap from {next} to {token.From}");
                            Assert.False(((SlabContainer)cursor.GetCurrent(out _)!).Slab.IsGone());
                            next = Math.Max(next, token.To);
                            if (step == 2)
                            {
                                break;
                            }
                        }

                        break;
                    case 4:
                        cache.TryPurgeFromCache(out _);
                        break;
                    default:
                        next = random.NextInt64(next + 1);
                        cursor.Dispose();
                        cursor = cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(next));
                        break;
                }
            }

            cache.Clear();
            cursor.Dispose();
            Assert.All(slabs, slab => Assert.True(slab.IsGone()));
        });

    private static SlabCache Filled(long maxBytes, params (long From, long To)[] ranges) =>
        Filled(maxBytes, [.. ranges.Select(range => Slabs.Of(range.From, range.To))]);

    private static SlabCache Filled(long maxBytes, params Slab[] slabs)
    {
        var cache = new SlabCache(maxBytes, 1000, new StreamInstruments("log", 0));
        cache.ReadFrom(slabs[0].From);
        foreach (Slab slab in slabs)
        {
            Add(cache, slab);
        }

        return cache;
    }

    private static void Add(SlabCache cache, Slab slab) =>
        cache.AddToCache([new SlabContainer(s_stream, slab) { Epoch = cache.Epoch }]);

    private static void Move(IQueueCacheCursor cursor) =>
        Assert.Equal(QueueCacheCursorMoveResultKind.Success, cursor.MoveNextWithResult().Kind);

    private static List<long> Drain(IQueueCacheCursor cursor)
    {
        var ends = new List<long>();
        while (cursor.MoveNextWithResult().Kind == QueueCacheCursorMoveResultKind.Success)
        {
            ends.Add(((PartitionSequenceToken)cursor.GetCurrent(out _)!.SequenceToken).To);
        }

        return ends;
    }
}
