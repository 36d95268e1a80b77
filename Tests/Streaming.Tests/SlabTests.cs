using System.Buffers;

namespace ClickAggregator.Streaming.Tests;

public class SlabTests
{
    [Fact]
    public void The_last_lease_ends_it_and_one_release_more_is_an_error()
    {
        Slab slab = Slabs.Of(0, 4);
        Assert.True(slab.TryAcquire());
        slab.Release();
        slab.Release();
        Assert.False(slab.TryAcquire());
        Assert.Throws<InvalidOperationException>(slab.Release);
    }

    [Fact]
    public async Task While_a_lease_is_held_the_bytes_stay_whoever_races_for_the_last_one()
    {
        for (int round = 0; round < 2000; round++)
        {
            Slab slab = Slabs.Of(1, 9, 64);
            using var start = new Barrier(3);
            Task[] consumers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                start.SignalAndWait(TestContext.Current.CancellationToken);
                if (slab.TryAcquire())
                {
                    foreach (ref readonly SlabRecord record in slab.Records)
                    {
                        Assert.Equal((byte)record.Offset, slab.Value(record)[63]);
                    }

                    slab.Release();
                }
            }))];
            start.SignalAndWait(TestContext.Current.CancellationToken);
            slab.Release();
            // Whoever got the buffer back from the pool writes into it.
            byte[] next = ArrayPool<byte>.Shared.Rent(8 * 64);
            Array.Fill(next, (byte)0xEE);
            ArrayPool<byte>.Shared.Return(next);
            await Task.WhenAll(consumers);
            Assert.True(slab.IsGone());
        }
    }
}
