using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Streams;
using Orleans.Streams.Core;
using Orleans.TestingHost;

namespace ClickAggregator.Streaming.Tests;

/// <summary>
/// Prints what a delivered slab and a record cost. Nothing is asserted about time; run it by name with
/// <c>dotnet run --project Tests/Streaming.Tests -c Release -- -explicit only</c>.
/// </summary>
public class CostCheck
{
    [Theory(Explicit = true)]
    [InlineData(1, 10, 40_000)]
    [InlineData(1, 8_000, 4_000)]
    [InlineData(4, 8_000, 1_000)]
    public async Task What_a_slab_costs(int partitions, int recordsPerSlab, int slabs)
    {
        var log = new SyntheticLog(partitions, recordsPerSlab, slabs);
        var walk = new Walk();
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<IPartitionLog>(log).AddSingleton<IReaderStart>(log).AddSingleton(walk);
            silo.AddPartitionStreams("log", options => options.Namespace = "walked");
        });
        await using InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync(TestContext.Current.CancellationToken);

        log.Release(slabs / 10);
        await Task.WhenAll(Enumerable.Range(0, partitions).Select(partition => walk.SeenAsync(partition, log.End)));
        long records = walk.Records;
        using Process self = Process.GetCurrentProcess();
        TimeSpan processor = self.TotalProcessorTime;
        long allocated = GC.GetTotalAllocatedBytes();
        long started = Stopwatch.GetTimestamp();
        log.Release(slabs);
        await Task.WhenAll(Enumerable.Range(0, partitions).Select(partition => walk.SeenAsync(partition, log.End)));
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        self.Refresh();
        processor = self.TotalProcessorTime - processor;
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        records = walk.Records - records;
        double delivered = (double)records / recordsPerSlab;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{partitions} partitions, slabs of {recordsPerSlab} records: {records / elapsed.TotalSeconds:N0} records/s, "
            + $"{elapsed.TotalMicroseconds / delivered:N1} us and {processor.TotalMicroseconds / delivered:N1} us of CPU a slab, "
            + $"{allocated / delivered:N0} bytes allocated a slab");
        await Task.Delay(500, TestContext.Current.CancellationToken);
        self.Refresh();
        processor = self.TotalProcessorTime;
        started = Stopwatch.GetTimestamp();
        await Task.Delay(3000, TestContext.Current.CancellationToken);
        self.Refresh();
        TestContext.Current.TestOutputHelper.WriteLine(
            $"idle: {(self.TotalProcessorTime - processor) / Stopwatch.GetElapsedTime(started):P2} of a core");
    }

    internal sealed class Walk
    {
        private readonly long[] _next = new long[16];
        private long _records;
        private int _sum;

        public long Records => Interlocked.Read(ref _records);

        public void Note(Slab slab, int sum)
        {
            // Used, so that nobody may leave the walk out.
            Volatile.Write(ref _sum, sum);
            Interlocked.Add(ref _records, slab.Count);
            Volatile.Write(ref _next[slab.Partition], slab.To);
        }

        public long Next(int partition) => Volatile.Read(ref _next[partition]);

        public async Task SeenAsync(int partition, long end)
        {
            while (Volatile.Read(ref _next[partition]) < end)
            {
                await Task.Delay(1, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Slabs of 100-byte records whose content nobody looks at, as fast as they can be made.</summary>
    private sealed class SyntheticLog(int partitions, int recordsPerSlab, int slabs) : IPartitionLog, IReaderStart
    {
        private long _end;

        public long End => Volatile.Read(ref _end);

        public void Release(int count) => Volatile.Write(ref _end, (long)Math.Min(count, slabs) * recordsPerSlab);

        public ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken) => new(new LogId("synthetic"));

        public ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken) => new(partitions);

        public ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken) => new(new LogRange(0, End));

        public ValueTask<long> GetStartAsync(int partition, CancellationToken cancellationToken) => new(0);

        public async IAsyncEnumerable<Slab> ReadAsync(
            int partition, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield break;
        }

        public ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken) =>
            new(new Reader(this, partition, recordsPerSlab) { Position = from });

        private sealed class Reader(SyntheticLog log, int partition, int records) : IPartitionReader
        {
            public long Position { get; set; }

            public ValueTask<Slab?> ReadAsync(int maxBytes, CancellationToken cancellationToken)
            {
                if (Position >= log.End)
                {
                    return default;
                }

                byte[] data = ArrayPool<byte>.Shared.Rent(records * 100);
                SlabRecord[] places = ArrayPool<SlabRecord>.Shared.Rent(records);
                for (int index = 0; index < records; index++)
                {
                    places[index] = new SlabRecord(Position + index, 1, index * 100, 100);
                }

                long from = Position;
                Position += records;
                return new(new Slab(partition, from, Position, data, records * 100, places, records));
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}

public interface IWalkGrain : IGrainWithIntegerKey;

/// <summary>Walks the records and sums a byte of each.</summary>
[ImplicitStreamSubscription("walked")]
internal sealed class WalkGrain(CostCheck.Walk walk) : Grain, IWalkGrain, IStreamSubscriptionObserver, IAsyncObserver<Slab>
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<Slab>().ResumeAsync(this, PartitionSequenceToken.After(walk.Next((int)this.GetPrimaryKeyLong())));

    public Task OnNextAsync(Slab item, StreamSequenceToken? token = null)
    {
        int sum = 0;
        if (item.TryAcquire())
        {
            foreach (ref readonly SlabRecord record in item.Records)
            {
                sum += item.Value(record)[^1];
            }

            item.Release();
        }

        walk.Note(item, sum);
        return Task.CompletedTask;
    }

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;
}
