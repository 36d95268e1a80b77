using System.Globalization;
using System.Text;
using ClickAggregator.Bench.Load;
using ClickAggregator.Clicks;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace ClickAggregator.Bench.Backlog;

/// <summary>A topic of its own, full of clicks as any producer would write them, JSON, or as our shipper does; keyed by their target.</summary>
/// <param name="options">What is in it.</param>
/// <param name="keptAs">The name of one that is used again where it is there, and stays; null for one of this run.</param>
internal sealed class ClickTopic(BacklogOptions options, string? keptAs = null)
{
    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];
    private readonly byte[] _record = new byte[ClickRecord.MaxBytes];

    public string Name { get; } = keptAs ?? string.Create(CultureInfo.InvariantCulture, $"bench-backlog-{TimeProvider.System.GetUtcNow():yyyyMMddHHmmss}");

    public long Bytes { get; private set; }

    public long Duplicates { get; private set; }

    /// <summary>Makes and fills the topic.</summary>
    public async Task FillAsync(CancellationToken cancellationToken)
    {
        using (IAdminClient admin = Admin())
        {
            if (keptAs is not null && admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics.Exists(topic => topic.Topic == keptAs))
            {
                return;
            }

            await admin.CreateTopicsAsync([new TopicSpecification
            {
                Name = Name,
                NumPartitions = options.Partitions,
                Configs = new() { ["message.timestamp.type"] = "LogAppendTime" },
            }]);
        }

        long failed = 0;
        using IProducer<byte[], byte[]> producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = options.Brokers,
            EnableIdempotence = true,
            Partitioner = Partitioner.Murmur2Random,
            LingerMs = 20,
            BatchSize = 1 << 20,
            QueueBufferingMaxMessages = 500_000,
        }).Build();
        var random = new Random(1);
        var zipf = new ZipfRank(options.Ads);
        byte[][] keys = [.. Enumerable.Range(0, options.Ads).Select(ad => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"ad:ad-{ad}")))];
        var recent = new Message<byte[], byte[]>?[1000];
        DateTimeOffset start = TimeProvider.System.GetUtcNow().AddSeconds(-options.Span);
        for (int n = 0; n < options.Clicks; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Message<byte[], byte[]>? message = random.NextDouble() * 100 < options.Duplicates ? recent[random.Next(recent.Length)] : null;
            if (message is not null)
            {
                Duplicates++;
            }
            else
            {
                int ad = zipf.Next(random);
                DateTimeOffset at = start.AddSeconds((double)options.Span * n / options.Clicks);
                string click = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{{\"click_id\":\"{n:x16}\",\"ad_id\":\"ad-{ad}\",\"campaign_id\":\"c-{ad % 200}\",\"user_id\":\"u-{random.Next(1_000_000)}\",\"country\":\"{ZipfClicks.Countries[random.Next(8)]}\",\"device\":\"{ZipfClicks.Devices[random.Next(3)]}\",\"timestamp\":{at.ToUnixTimeMilliseconds()}}}");
                message = new Message<byte[], byte[]> { Key = keys[ad], Value = ValueOf(Encoding.ASCII.GetBytes(click)) };
                recent[n % recent.Length] = message;
            }

            Bytes += message.Value.Length;
            while (!TryProduce(message))
            {
                producer.Poll(TimeSpan.FromMilliseconds(20));
            }

            if ((n + 1) % 2_000_000 == 0)
            {
                Console.WriteLine($"{n + 1,12:N0} clicks in the topic");
            }
        }

        producer.Flush(cancellationToken);
        if (failed > 0)
        {
            throw new InvalidOperationException($"{failed:N0} clicks did not reach the topic");
        }

        bool TryProduce(Message<byte[], byte[]> message)
        {
            try
            {
                producer.Produce(Name, message, report => failed += report.Error.IsError ? 1 : 0);
                return true;
            }
            catch (ProduceException<byte[], byte[]> full) when (full.Error.Code is Confluent.Kafka.ErrorCode.Local_QueueFull)
            {
                return false;
            }
        }
    }

    public async Task DeleteAsync()
    {
        if (keptAs is not null)
        {
            return;
        }

        using IAdminClient admin = Admin();
        await admin.DeleteTopicsAsync([Name]);
    }

    private byte[] ValueOf(byte[] json)
    {
        if (!options.Compact)
        {
            return json;
        }

        if (!ClickParser.TryParse(json, _scratch, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), out Click click, out _))
        {
            throw new InvalidOperationException($"no click: {Encoding.UTF8.GetString(json)}");
        }

        return _record.AsSpan(0, ClickRecord.Write(in click, _record)).ToArray();
    }

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = options.Brokers }).Build();
}
