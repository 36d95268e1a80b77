using System.Diagnostics;

namespace ClickAggregator.Streaming.Kafka.Tests.Servers;

/// <summary>Reads until something holds; a deadline, never a fixed wait.</summary>
internal static class Following
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    /// <summary>Reads on until the reader stands at an offset, which must be the end of something, and checks that its slabs follow each other.</summary>
    public static async Task<List<long>> UntilAsync(this IPartitionReader reader, long position, int maxBytes = 1 << 20)
    {
        var offsets = new List<long>();
        while (reader.Position < position)
        {
            using Lease slab = await reader.NextAsync(maxBytes);
            foreach (ref readonly SlabRecord record in slab.Slab.Records)
            {
                offsets.Add(record.Offset);
            }
        }

        Assert.Equal(position, reader.Position);
        return offsets;
    }

    /// <summary>The next slab.</summary>
    public static async Task<Lease> NextAsync(this IPartitionReader reader, int maxBytes = 1 << 20)
    {
        long from = reader.Position;
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await reader.ReadAsync(maxBytes, CancellationToken.None) is { } slab)
            {
                Assert.Equal((from, reader.Position), (slab.From, slab.To));
                return new Lease(slab);
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < s_deadline, $"nothing came at {reader.Position}");
            await Task.Delay(2);
        }
    }

    /// <summary>Reads on until the reader throws; what it delivers before has to be whole.</summary>
    public static async Task<TException> UntilItThrowsAsync<TException>(this IPartitionReader reader, Action<Slab>? seen = null)
        where TException : Exception
    {
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < s_deadline)
        {
            long from = reader.Position;
            try
            {
                if (await reader.ReadAsync(1 << 20, CancellationToken.None) is { } slab)
                {
                    Assert.Equal(from, slab.From);
                    seen?.Invoke(slab);
                    slab.Release();
                    continue;
                }
            }
            catch (TException fault)
            {
                return fault;
            }

            await Task.Delay(2);
        }

        throw new TimeoutException($"the reader never threw; it stands at {reader.Position}");
    }

    public static async Task<List<(long From, long To, long[] Offsets)>> SlabsAsync(this IPartitionLog log, long from, long to, int partition = 0)
    {
        var slabs = new List<(long, long, long[])>();
        await foreach (Slab slab in log.ReadAsync(partition, from, to, CancellationToken.None))
        {
            slabs.Add((slab.From, slab.To, [.. slab.Records.ToArray().Select(record => record.Offset)]));
            slab.Release();
        }

        return slabs;
    }

    /// <summary>
    /// A transaction is committed before its markers are written: what it has written can be read a little later than its
    /// producer knows.
    /// </summary>
    public static Task UntilItEndsAtAsync(this IPartitionLog log, long end, int partition = 0) =>
        UntilAsync(async () => (await log.GetRangeAsync(partition, CancellationToken.None)).End == end);

    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < s_deadline, "it never came to hold");
            await Task.Delay(10);
        }
    }

    public sealed class Lease(Slab slab) : IDisposable
    {
        public Slab Slab => slab;

        public void Dispose() => slab.Release();
    }
}
