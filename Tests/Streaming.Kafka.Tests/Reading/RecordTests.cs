using System.Text;
using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka.Tests.Reading;

/// <summary>What of a record becomes its bytes, and what it costs.</summary>
public class RecordTests(KafkaServer kafka)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_record_is_its_value_with_the_brokers_time_and_no_value_is_an_empty_record()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        DateTimeOffset before = TimeProvider.System.GetUtcNow();
        foreach (byte[]? value in new byte[]?[] { "one"u8.ToArray(), null, [], "four"u8.ToArray() })
        {
            await topic.AppendAsync(0, [new Message<byte[]?, byte[]?> { Key = "key"u8.ToArray(), Value = value, Timestamp = new Timestamp(1_000, TimestampType.CreateTime) }]);
        }

        await using KafkaPartitionLog log = topic.Open();
        await foreach (Slab slab in log.ReadAsync(0, 0, 4, Cancellation))
        {
            Assert.Equal(["one", "", "", "four"], Values(slab));
            Assert.All(slab.Records.ToArray(), record => Assert.InRange(
                record.Timestamp, before.ToUnixTimeMilliseconds(), TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()));
            slab.Release();
        }
    }

    [Fact]
    public async Task A_mapping_sees_key_value_and_headers()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        var headers = new Headers { { "source", "eu"u8.ToArray() }, { "source", "us"u8.ToArray() } };
        await topic.AppendAsync(0, [new Message<byte[]?, byte[]?> { Key = "ad:42"u8.ToArray(), Value = "v"u8.ToArray(), Headers = headers }]);
        await topic.AppendAsync(0, [new Message<byte[]?, byte[]?> { Value = null }]);
        await using KafkaPartitionLog log = topic.Open(new Everything());

        await foreach (Slab slab in log.ReadAsync(0, 0, 2, Cancellation))
        {
            Assert.Equal(["ad:42=v us", "=null -"], Values(slab));
            slab.Release();
        }
    }

    [Fact]
    public async Task A_record_larger_than_every_bound_is_read_alone()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(
            kafka, 1, new Dictionary<string, string> { ["max.message.bytes"] = $"{20 << 20}" });
        topic.Options.PartitionFetchBytes = 1 << 10;
        topic.Options.FetchBytes = 1 << 20;
        topic.Options.QueueBytes = 64 << 10;
        await topic.AppendAsync(0, 3);
        await topic.AppendAsync(0, 2, 10 << 20);
        await topic.AppendAsync(0, 3);
        await using KafkaPartitionLog log = topic.Open();
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);

        var lengths = new List<int>();
        while (reader.Position < 8)
        {
            using Following.Lease lease = await reader.NextAsync(1 << 10);
            lengths.AddRange(lease.Slab.Records.ToArray().Select(record => record.Length));
            Assert.True(lease.Slab.DataLength <= 1 << 10 || lease.Slab.Count == 1);
        }

        Assert.Equal([100, 100, 100, 10 << 20, 10 << 20, 100, 100, 100], lengths);
        Assert.Equal(8, (await log.SlabsAsync(0, 8)).Sum(slab => slab.Offsets.Length));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Every_compression_is_read(string compression)
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        using (IProducer<Null, byte[]> producer = new ProducerBuilder<Null, byte[]>(new Dictionary<string, string>
        {
            ["bootstrap.servers"] = topic.Options.BootstrapServers,
            ["compression.type"] = compression,
            ["linger.ms"] = "20",
        }).Build())
        {
            for (int n = 0; n < 1_000; n++)
            {
                producer.Produce(topic.Partition(), new Message<Null, byte[]> { Value = Encoding.ASCII.GetBytes($"click number {n}") });
            }

            producer.Flush(TimeSpan.FromSeconds(60));
        }

        await using KafkaPartitionLog log = topic.Open();
        var values = new List<string>();
        // From the middle of a compressed batch, too.
        await foreach (Slab slab in log.ReadAsync(0, 123, 1_000, Cancellation))
        {
            values.AddRange(Values(slab));
            slab.Release();
        }

        Assert.Equal(Enumerable.Range(123, 877).Select(n => $"click number {n}"), values);
    }

    [Fact]
    public async Task Nothing_is_allocated_for_a_record_and_nothing_for_an_idle_look()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        const int Records = 60_000;
        await topic.AppendAsync(0, Records);
        await using KafkaPartitionLog log = topic.Open();
        await using IPartitionReader reader = await log.OpenAsync(0, 0, Cancellation);
        while (reader.Position < Records / 3)
        {
            (await reader.NextAsync()).Dispose();
        }

        // On one thread: a look that finds something ends as it was begun.
        (long looks, long slabs, long records, long allocated) = await Task.Run(() =>
        {
            long looks = 0;
            long slabs = 0;
            long records = 0;
            long before = GC.GetAllocatedBytesForCurrentThread();
            while (reader.Position < Records)
            {
                looks++;
                if (Look(reader) is { } slab)
                {
                    slabs++;
                    records += slab.Count;
                    slab.Release();
                }
            }

            return (looks, slabs, records, GC.GetAllocatedBytesForCurrentThread() - before);
        });

        TestContext.Current.TestOutputHelper!.WriteLine($"{records} records in {slabs} slabs, {looks} looks: {allocated} bytes");
        // An object for each slab, the feed's arrays grown once, and the pool's first buffers of a size.
        Assert.True(allocated < 4_000_000, $"{allocated} bytes for {records} records");
        Assert.True(records > Records / 4);

        allocated = await Task.Run(() =>
        {
            _ = Look(reader);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int look = 0; look < 10_000; look++)
            {
                _ = Look(reader);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.Equal(0, allocated);
    }

    private static Slab? Look(IPartitionReader reader)
    {
        ValueTask<Slab?> reading = reader.ReadAsync(1 << 20, CancellationToken.None);
        return reading.IsCompletedSuccessfully ? reading.Result : throw new InvalidOperationException("a look waited");
    }

    private static string[] Values(Slab slab)
    {
        var values = new List<string>();
        foreach (ref readonly SlabRecord record in slab.Records)
        {
            values.Add(Encoding.UTF8.GetString(slab.Value(record)));
        }

        return [.. values];
    }

    private sealed class Everything : IRecordMapping
    {
        public int GetLength(in KafkaRecord record) => Text(record).Length;

        public void Write(in KafkaRecord record, Span<byte> destination) => Text(record).CopyTo(destination);

        private static byte[] Text(in KafkaRecord record)
        {
            string source = record.TryGetHeader("source", out ReadOnlySpan<byte> header) ? Encoding.UTF8.GetString(header) : "-";
            string value = record.IsNull ? "null" : Encoding.UTF8.GetString(record.Value);
            return Encoding.UTF8.GetBytes($"{Encoding.UTF8.GetString(record.Key)}={value} {source}");
        }
    }
}
