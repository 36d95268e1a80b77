using System.Text;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Servers;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Shipper.Tests;

/// <summary>A click log in a folder of its own, a topic of its own, and what a reader of that topic sees.</summary>
internal sealed class ShippedLog : IAsyncDisposable
{
    private readonly List<string> _sent = [];

    private ShippedLog(string folder, PartitionedClickLog log, ShipperOptions options)
    {
        Folder = folder;
        Log = log;
        Options = options;
    }

    public string Folder { get; }

    public PartitionedClickLog Log { get; private set; }

    public ShipperOptions Options { get; set; }

    public RecordedLogs Logs { get; } = new();

    /// <summary>The ids of all clicks appended, sorted.</summary>
    public IEnumerable<string> Sent => _sent.Order(StringComparer.Ordinal);

    public static async Task<ShippedLog> OpenAsync(KafkaServer kafka, int partitions = 4, string? folder = null) =>
        await OpenAsync(await kafka.BootstrapServersAsync(), partitions, folder);

    public static async Task<ShippedLog> OpenAsync(string bootstrap, int partitions = 4, string? folder = null)
    {
        folder ??= Directory.CreateTempSubdirectory("clicks-ship-").FullName;
        return new ShippedLog(folder, await OpenLogAsync(folder, partitions), new ShipperOptions
        {
            BootstrapServers = bootstrap,
            Topic = "ship-" + Guid.NewGuid().ToString("N"),
            Partitions = partitions,
            CommitInterval = TimeSpan.FromMilliseconds(50),
        });
    }

    public LogShipper NewShipper(Func<CancellationToken, ValueTask<IReadOnlyList<long>?>>? first = null) =>
        new(Log, Options, TimeProvider.System, Logs, first);

    /// <summary>Appends clicks on 50 ads with ids that nobody had before.</summary>
    public async Task AppendAsync(int count)
    {
        using var batch = new ClickBatch(Log.Partitions);
        for (int n = 0; n < count; n++)
        {
            string id = $"{_sent.Count}-{Log.LogId:N}";
            _sent.Add(id);
            batch.Add(new Click
            {
                Kind = TargetKind.Ad,
                TargetId = Encoding.UTF8.GetBytes($"a-{_sent.Count % 50}"),
                ClickId = Encoding.UTF8.GetBytes(id),
                Timestamp = 1_384_729_205_000,
                ReceivedAt = 1_384_729_205_000,
            });
        }

        await Log.AppendAsync(batch, CancellationToken.None);
    }

    /// <summary>Everything committed in the topic, as read_committed readers see it.</summary>
    public List<ConsumeResult<byte[], byte[]>> ReadTopic(string? topic = null)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = Options.BootstrapServers,
            GroupId = "none",
            EnablePartitionEof = true,
            EnableAutoCommit = false,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        }).Build();
        int partitions = topic is null ? Options.Partitions : 1;
        consumer.Assign(Enumerable.Range(0, partitions).Select(p => new TopicPartitionOffset(topic ?? Options.Topic, p, Offset.Beginning)));
        var records = new List<ConsumeResult<byte[], byte[]>>();
        for (int ended = 0; ended < partitions;)
        {
            ConsumeResult<byte[], byte[]> record = consumer.Consume(TimeSpan.FromSeconds(30)) ?? throw new TimeoutException("the topic could not be read");
            if (record.IsPartitionEOF)
            {
                ended++;
            }
            else
            {
                records.Add(record);
            }
        }

        return records;
    }

    /// <summary>The click ids in the topic, sorted.</summary>
    public IEnumerable<string> Shipped() => ReadTopic().Select(record => IdOf(record.Message.Value)).Order(StringComparer.Ordinal);

    public static string IdOf(byte[] value) => ClickRecord.TryRead(value, out Click click)
        ? Encoding.UTF8.GetString(click.ClickId)
        : throw new InvalidDataException("a record that is no click");

    /// <summary>Closes the log and opens it again, as a restart does.</summary>
    public async Task ReopenAsync()
    {
        await Log.DisposeAsync();
        Log = await OpenLogAsync(Folder, Log.Partitions);
    }

    public async ValueTask DisposeAsync()
    {
        await Log.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static Task<PartitionedClickLog> OpenLogAsync(string folder, int partitions) => PartitionedClickLog.OpenAsync(
        new ClickLogOptions { Directory = folder, Partitions = partitions, SegmentBytes = 1 << 20 }, TimeProvider.System,
        Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, CancellationToken.None);
}
