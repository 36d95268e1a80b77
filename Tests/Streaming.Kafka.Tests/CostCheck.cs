using System.Diagnostics;
using System.Globalization;
using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka.Tests;

/// <summary>
/// Prints what reading and idling cost. Nothing is asserted about time; run it by name with
/// <c>dotnet run --project Tests/Streaming.Kafka.Tests -c Release -- -explicit only</c>.
/// </summary>
public class CostCheck(KafkaServer kafka)
{
    private const int Partitions = 4;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Explicit = true)]
    [InlineData("lz4", 500_000)]
    [InlineData("zstd", 500_000)]
    public async Task What_a_record_costs(string compression, int recordsPerPartition)
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, Partitions);
        Fill(topic, compression, recordsPerPartition);
        for (int round = 0; round < 3; round++)
        {
            await using KafkaPartitionLog log = topic.Open();
            var readers = new List<IPartitionReader>();
            for (int partition = 0; partition < Partitions; partition++)
            {
                readers.Add(await log.OpenAsync(partition, 0, Cancellation));
            }

            (long records, long slabs) = (0, 0);
            var usage = Usage.Now();
            while (readers.Exists(reader => reader.Position < recordsPerPartition))
            {
                bool idle = true;
                foreach (IPartitionReader reader in readers)
                {
                    if (await reader.ReadAsync(1 << 20, Cancellation) is { } slab)
                    {
                        (records, slabs, idle) = (records + slab.Count, slabs + 1, false);
                        slab.Release();
                    }
                }

                if (idle)
                {
                    await Task.Delay(1, Cancellation);
                }
            }

            Print($"followers, {Partitions} partitions, {compression}: {usage.Since(records)}, {slabs} slabs");
            foreach (IPartitionReader reader in readers)
            {
                await reader.DisposeAsync();
            }

            records = 0;
            usage = Usage.Now();
            await foreach (Slab slab in log.ReadAsync(0, 0, recordsPerPartition, Cancellation))
            {
                records += slab.Count;
                slab.Release();
            }

            Print($"range, 1 partition, {compression}: {usage.Since(records)}");
        }
    }

    [Theory(Explicit = true)]
    [InlineData(16, 1)]
    [InlineData(1, 16)]
    [InlineData(4, 1)]
    [InlineData(1, 4)]
    public async Task What_idle_readers_cost(int partitions, int readersPerPartition)
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, partitions);
        await topic.AppendAsync(0, 10);
        await using KafkaPartitionLog log = topic.Open();
        await log.GetLogIdAsync(Cancellation);
        await Task.Delay(1_000, Cancellation);
        var before = Usage.Now();
        var readers = new List<IPartitionReader>();
        for (int n = 0; n < partitions * readersPerPartition; n++)
        {
            readers.Add(await log.OpenAsync(n % partitions, n % partitions == 0 ? 10 : 0, Cancellation));
        }

        await Task.Delay(2_000, Cancellation);
        int threads = Usage.Now().Threads - before.Threads;
        long memory = Usage.Now().Memory - before.Memory;
        before = Usage.Now();
        await Task.Delay(5_000, Cancellation);
        double idle = before.Processor();
        long looks = 0;
        before = Usage.Now();
        while (before.Elapsed() < TimeSpan.FromSeconds(5))
        {
            foreach (IPartitionReader reader in readers)
            {
                (await reader.ReadAsync(1 << 20, Cancellation))?.Release();
                looks++;
            }

            await Task.Delay(25, Cancellation);
        }

        Print($"{readers.Count} idle readers, {log.Clients.Followers} clients: {threads} threads, {memory >> 10:N0} KiB, "
            + $"{idle:P2} of a core unwatched, {before.Processor():P2} with {looks / 5:N0} looks/s");
        readers.ForEach(reader => reader.DisposeAsync().AsTask().Wait(Cancellation));
        var alone = Stopwatch.StartNew();
        await using IPartitionReader last = await log.OpenAsync(0, 10, Cancellation);
        Print($"opening took {alone.ElapsedMilliseconds} ms");
        alone.Restart();
        for (int look = 0; look < 1_000_000; look++)
        {
            (await last.ReadAsync(1 << 20, Cancellation))?.Release();
        }

        Print($"a look at nothing: {alone.Elapsed.TotalNanoseconds / 1_000_000:N0} ns");
    }

    private static void Fill(TestTopic topic, string compression, int recordsPerPartition)
    {
        using IProducer<Null, byte[]> producer = new ProducerBuilder<Null, byte[]>(new Dictionary<string, string>
        {
            ["bootstrap.servers"] = topic.Options.BootstrapServers,
            ["compression.type"] = compression,
            ["linger.ms"] = "50",
            ["batch.size"] = "1000000",
            ["queue.buffering.max.messages"] = "2000000",
        }).Build();
        var random = new Random(7);
        byte[] value = new byte[127];
        for (int n = 0; n < recordsPerPartition * Partitions; n++)
        {
            random.NextBytes(value.AsSpan(0, 24));
            while (true)
            {
                try
                {
                    producer.Produce(topic.Partition(n % Partitions), new Message<Null, byte[]> { Value = value });
                    break;
                }
                catch (ProduceException<Null, byte[]> fault) when (fault.Error.Code == ErrorCode.Local_QueueFull)
                {
                    producer.Flush(TimeSpan.FromSeconds(1));
                }
            }
        }

        producer.Flush(TimeSpan.FromSeconds(60));
    }

    private static void Print(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);

    private readonly record struct Usage(long At, TimeSpan Used, long Allocated, int Threads, long Memory)
    {
        public static Usage Now()
        {
            using Process self = Process.GetCurrentProcess();
            return new Usage(Stopwatch.GetTimestamp(), self.TotalProcessorTime, GC.GetTotalAllocatedBytes(), self.Threads.Count, self.WorkingSet64);
        }

        public TimeSpan Elapsed() => Stopwatch.GetElapsedTime(At);

        public double Processor() => (Now().Used - Used) / Elapsed();

        public string Since(long records)
        {
            Usage now = Now();
            return string.Create(CultureInfo.InvariantCulture,
                $"{records / Elapsed().TotalSeconds:N0} records/s, {(now.Used - Used).TotalMicroseconds / records:N3} us of CPU and {(double)(now.Allocated - Allocated) / records:N2} bytes allocated a record");
        }
    }
}
