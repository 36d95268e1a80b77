using System.Text;
using System.Text.Json;
using ClickAggregator.Clicks;
using ClickAggregator.Servers;
using Confluent.Kafka;

namespace ClickAggregator.Shipper.Tests;

/// <summary>The shipper against a real broker.</summary>
public class LogShipperTests(KafkaServer kafka)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_click_of_the_log_arrives_once_in_the_partition_of_its_target()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        await log.AppendAsync(5000);
        await using (Running running = Start(log))
        {
            await log.AppendAsync(5000);
            await running.Shipper.ShippedAsync(Cancellation);
        }

        List<ConsumeResult<byte[], byte[]>> records = log.ReadTopic();
        Assert.Equal(log.Sent, records.Select(record => ShippedLog.IdOf(record.Message.Value)).Order(StringComparer.Ordinal));
        Assert.All(records, record =>
        {
            string key = Encoding.UTF8.GetString(record.Message.Key);
            Assert.StartsWith("ad:a-", key, StringComparison.Ordinal);
            Assert.Equal(TargetPartitioner.Partition(TargetKind.Ad, record.Message.Key.AsSpan(3), 4), record.Partition.Value);
            Assert.Equal(TimestampType.LogAppendTime, record.Message.Timestamp.Type);
        });
    }

    [Fact]
    public async Task As_json_the_values_are_what_clients_send()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka, partitions: 1);
        log.Options = log.Options with { Format = ShipFormat.Json };
        await log.AppendAsync(3);
        await using (Running running = Start(log))
        {
            await running.Shipper.ShippedAsync(Cancellation);
        }

        ConsumeResult<byte[], byte[]> first = log.ReadTopic()[0];
        using var json = JsonDocument.Parse(first.Message.Value);
        Assert.Equal("a-1", json.RootElement.GetProperty("ad_id").GetString());
        Assert.Equal($"0-{log.Log.LogId:N}", json.RootElement.GetProperty("click_id").GetString());
        Assert.Equal("2013-11-17T23:00:05.000Z", json.RootElement.GetProperty("timestamp").GetString());
    }

    [Fact]
    public async Task Cancelled_at_random_moments_under_load_it_neither_skips_nor_repeats_a_click()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        var random = new Random(20260301);
        for (int round = 0; round < 15; round++)
        {
            // A cancelled shipper leaves its transaction as it is, as a killed one does.
            await using Running running = Start(log);
            for (int n = random.Next(1, 12); n > 0; n--)
            {
                await log.AppendAsync(random.Next(1, 2000));
                if (random.Next(4) == 0)
                {
                    await running.Shipper.ShippedAsync(Cancellation);
                }
            }

            if (round == 7)
            {
                await running.DisposeAsync();
                await log.ReopenAsync();
            }
        }

        await using (Running last = Start(log))
        {
            await last.Shipper.ShippedAsync(Cancellation);
        }

        Assert.Equal(log.Sent, log.Shipped());
    }

    [Fact]
    public async Task What_is_said_to_be_shipped_is_visible_to_readers_of_committed_records()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka, partitions: 2);
        await using Running running = Start(log);
        for (int round = 1; round <= 5; round++)
        {
            await log.AppendAsync(10);
            await running.Shipper.ShippedAsync(Cancellation);
            Assert.Equal(round * 10, log.ReadTopic().Count);
        }

        Assert.Equal(50, Enumerable.Range(0, 2).Sum(running.Shipper.ShippedUpto));
        Assert.Equal(ShipState.Shipping, running.Shipper.Status.State);
        Assert.NotNull(running.Shipper.Status.LastShipped);
    }

    [Fact]
    public async Task The_older_of_two_shippers_of_one_log_is_fenced_and_says_by_whom()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        await log.AppendAsync(100);
        await using Running older = Start(log);
        await older.Shipper.ShippedAsync(Cancellation);

        await using ShippedLog other = await OpenCopyAsync(log);
        await using Running newer = Start(other);
        await newer.Shipper.ShippedAsync(Cancellation);

        await log.AppendAsync(10);
        await older.Ended.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.Equal(ShipState.Stopped, older.Shipper.Status.State);
        Assert.Contains("another shipper", older.Shipper.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("the data directory was copied", older.Shipper.Status.Detail, StringComparison.Ordinal);
        Assert.Contains(log.Logs.Lines, line => line.Contains("stands still", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Logs.Lines, line => line.Contains("once the brokers answer", StringComparison.Ordinal));

        // Nothing of the copied clicks came a second time, and the newer goes on.
        await other.AppendAsync(10);
        await newer.Shipper.ShippedAsync(Cancellation);
        Assert.Equal(110, log.ReadTopic().Count);
    }

    [Fact]
    public async Task A_log_that_is_shorter_than_what_was_shipped_is_not_shipped_and_says_what_to_do()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        await using ShippedLog older = await ShipBeyondACopyAsync(log);
        await using Running again = Start(older);
        await again.Ended.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.Equal(ShipState.Stopped, again.Shipper.Status.State);
        Assert.Contains("it was restored from an older copy", again.Shipper.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(200, log.ReadTopic().Count);
    }

    [Fact]
    public async Task A_log_that_was_restored_from_an_older_copy_and_written_on_is_not_shipped_and_says_so()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        await using ShippedLog older = await ShipBeyondACopyAsync(log);

        // What is behind the positions would be shipped, and what the copy got before they were reached never.
        await older.AppendAsync(150);
        await using (Running again = Start(older))
        {
            await again.Ended.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
            Assert.Equal(ShipState.Stopped, again.Shipper.Status.State);
            Assert.Contains("it was restored from an older copy, and written on", again.Shipper.Status.Detail, StringComparison.Ordinal);
        }

        // The log itself goes on, also when it was only restarted meanwhile, and when nothing came since.
        await log.ReopenAsync();
        for (int round = 0; round < 2; round++)
        {
            await using Running running = Start(log);
            await running.Shipper.ShippedAsync(Cancellation);
        }

        await log.AppendAsync(10);
        await using Running last = Start(log);
        await last.Shipper.ShippedAsync(Cancellation);
        Assert.Equal(210, log.ReadTopic().Count);
    }

    [Fact]
    public async Task Where_to_begin_is_asked_only_while_nothing_was_ever_shipped()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka, partitions: 2);
        await log.AppendAsync(100);
        long[] counted = [.. Enumerable.Range(0, 2).Select(p => log.Log.GetRange(p).End)];
        await log.AppendAsync(7);
        int asked = 0;
        for (int round = 0; round < 2; round++)
        {
            var shipper = log.NewShipper(_ =>
            {
                asked++;
                return new((IReadOnlyList<long>?)counted);
            });
            await using Running running = new(shipper);
            await shipper.ShippedAsync(Cancellation);
        }

        Assert.Equal(1, asked);
        Assert.Equal(7, log.ReadTopic().Count);
    }

    [Fact]
    public async Task Behind_a_transaction_that_another_shipper_left_open_it_waits_and_repeats_nothing()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka, partitions: 1);
        await using (Running first = Start(log))
        {
            await first.Shipper.ShippedAsync(Cancellation);

            // All shippers write into one topic how far they are; this one dies before it commits.
            using IProducer<byte[], byte[]> other = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
            {
                BootstrapServers = log.Options.BootstrapServers,
                TransactionalId = Guid.NewGuid().ToString(),
                TransactionTimeoutMs = 5_000,
            }).Build();
            other.InitTransactions(TimeSpan.FromSeconds(30));
            other.BeginTransaction();
            await other.ProduceAsync(log.Options.Topic + "-positions", new Message<byte[], byte[]> { Key = "another"u8.ToArray(), Value = "{}"u8.ToArray() }, Cancellation);
            await log.AppendAsync(10);
            await first.Shipper.ShippedAsync(Cancellation);
        }

        await using (Running second = Start(log))
        {
            await second.Shipper.ShippedAsync(Cancellation);
        }

        Assert.Equal(log.Sent, log.Shipped());
    }

    [Fact]
    public async Task A_log_that_was_shipped_and_is_not_known_any_more_is_not_shipped_a_second_time()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka, partitions: 2);
        log.Options = log.Options with { NoteFile = Path.Combine(log.Folder, "shipped") };
        await log.AppendAsync(10);
        await using (Running running = Start(log))
        {
            await running.Shipper.ShippedAsync(Cancellation);
        }

        log.Options = log.Options with { PositionsTopic = log.Options.Topic + "-others" };
        await using (Running again = Start(log))
        {
            await again.Ended.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
            Assert.Equal(ShipState.Stopped, again.Shipper.Status.State);
            Assert.Contains("knows nothing of it", again.Shipper.Status.Detail, StringComparison.Ordinal);
            await Assert.ThrowsAsync<ShipperStoppedException>(() =>
            {
                log.AppendAsync(1).GetAwaiter().GetResult();
                return again.Shipper.ShippedAsync(Cancellation);
            });
        }

        Assert.Equal(10, log.ReadTopic().Count);
    }

    [Fact]
    public async Task Stopped_in_order_it_goes_on_with_other_brokers_where_it_stood()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka, partitions: 2);
        log.Options = log.Options with { NoteFile = Path.Combine(log.Folder, "shipped") };
        await log.AppendAsync(10);
        await using (Running running = Start(log))
        {
            running.Shipper.Drain();
            await running.Ended.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        }

        log.Options = log.Options with { Topic = log.Options.Topic + "-2" };
        await log.AppendAsync(3);
        await using Running again = Start(log);
        await again.Shipper.ShippedAsync(Cancellation);
        Assert.Equal(3, log.ReadTopic().Count);
    }

    [Fact]
    public async Task What_goes_wrong_beside_Kafka_is_said_and_tried_again()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka, partitions: 1);
        await log.AppendAsync(5);
        int asked = 0;
        await using Running running = new(log.NewShipper(_ => asked++ == 0 ? throw new TimeoutException("nobody answers") : new((IReadOnlyList<long>?)null)));
        await running.Shipper.ShippedAsync(Cancellation);
        Assert.Contains(log.Logs.Lines, line => line.Contains("nobody answers", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Drained_it_ships_what_is_left_and_ends()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        log.Options = log.Options with { CommitInterval = TimeSpan.FromSeconds(5) };
        await using Running running = Start(log);
        await running.Shipper.ShippedAsync(Cancellation);
        await log.AppendAsync(3000);
        running.Shipper.Drain();
        await running.Ended.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        Assert.Equal(log.Sent, log.Shipped());
    }

    [Fact]
    public async Task Without_a_broker_it_says_so_and_goes_on_trying()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        log.Options = log.Options with { BootstrapServers = "127.0.0.1:1" };
        await log.AppendAsync(10);
        await using Running running = Start(log);
        await Eventually(() => log.Logs.Lines.Any(line => line.Contains("goes on from what is committed", StringComparison.Ordinal)));
        Assert.Equal(ShipState.Connecting, running.Shipper.Status.State);
        Assert.NotNull(running.Shipper.Status.Detail);
        Assert.Equal(0, running.Shipper.ShippedUpto(0));
        Assert.False(running.Ended.IsCompleted);
    }

    [Fact]
    public async Task While_the_brokers_are_away_the_lag_grows_from_the_oldest_click_that_waits()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        log.Options = log.Options with { NoteFile = Path.Combine(log.Folder, "shipped") };
        await log.AppendAsync(2000);
        await using (Running running = Start(log))
        {
            await running.Shipper.ShippedAsync(Cancellation);
            Assert.Equal(new ShipLag(0, 0), running.Shipper.Behind());
            running.Shipper.Drain();
            await running.Ended.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        }

        log.Options = log.Options with { BootstrapServers = "127.0.0.1:1" };
        await using Running away = Start(log);
        Assert.Equal(new ShipLag(0, 0), away.Shipper.Behind());
        await log.AppendAsync(10);
        ShipLag first = away.Shipper.Behind();
        Assert.InRange(first.Seconds, 0, 30);
        Assert.InRange(first.Bytes, 100, long.MaxValue);
        await log.AppendAsync(10);
        await Eventually(() => away.Shipper.Behind().Seconds > first.Seconds + 0.5);
        Assert.InRange(away.Shipper.Behind().Bytes, first.Bytes + 1, long.MaxValue);
    }

    [Fact]
    public async Task A_topic_that_is_deleted_while_it_ships_is_made_again_with_its_own_settings()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka, partitions: 2);
        log.Options = log.Options with { Client = new Dictionary<string, string> { ["topic.metadata.refresh.interval.ms"] = "200" } };
        await using Running running = Start(log);
        await log.AppendAsync(10);
        await running.Shipper.ShippedAsync(Cancellation);
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = log.Options.BootstrapServers }).Build();
        await admin.DeleteTopicsAsync([log.Options.Topic]);
        while (log.Logs.Lines.Count(line => line.Contains($"made the topic {log.Options.Topic} with", StringComparison.Ordinal)) < 2)
        {
            // Whoever ships now finds it gone.
            await log.AppendAsync(10);
            await running.Shipper.ShippedAsync(Cancellation).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        }

        var configs = await admin.DescribeConfigsAsync([new() { Type = Confluent.Kafka.Admin.ResourceType.Topic, Name = log.Options.Topic }]);
        Assert.Equal("LogAppendTime", configs[0].Entries["message.timestamp.type"].Value);
    }

    [Fact]
    public async Task The_topics_are_made_as_the_options_say()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        await using (Running running = Start(log))
        {
            await running.Shipper.ShippedAsync(Cancellation);
        }

        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = log.Options.BootstrapServers }).Build();
        var configs = await admin.DescribeConfigsAsync(
        [
            new() { Type = Confluent.Kafka.Admin.ResourceType.Topic, Name = log.Options.Topic },
            new() { Type = Confluent.Kafka.Admin.ResourceType.Topic, Name = log.Options.Topic + "-positions" },
        ]);
        Assert.Equal("LogAppendTime", configs[0].Entries["message.timestamp.type"].Value);
        Assert.Equal("604800000", configs[0].Entries["retention.ms"].Value);
        Assert.Equal("compact", configs[1].Entries["cleanup.policy"].Value);
    }

    [Fact]
    public async Task To_a_topic_that_would_not_be_counted_nothing_is_shipped_and_it_says_what_to_do()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        await MakeUnfitAsync(log);
        await log.AppendAsync(10);
        await using Running running = Start(log);
        await running.Ended.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.Equal(ShipState.Stopped, running.Shipper.Status.State);
        Assert.Contains($"topic '{log.Options.Topic}' has 3 partitions where 4 are asked for", running.Shipper.Status.Detail, StringComparison.Ordinal);
        Assert.Contains($"run kafka-configs.sh --bootstrap-server {log.Options.BootstrapServers} --alter --entity-type topics --entity-name {log.Options.Topic} --add-config message.timestamp.type=LogAppendTime",
            running.Shipper.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("cleanup.policy=compact, which removes records from its middle", running.Shipper.Status.Detail, StringComparison.Ordinal);
        log.Options = log.Options with { Partitions = 3 };
        Assert.Empty(log.ReadTopic());
    }

    [Fact]
    public async Task Told_to_wait_for_the_topic_it_says_so_once_and_ships_when_somebody_has_changed_it()
    {
        await using ShippedLog log = await ShippedLog.OpenAsync(kafka);
        await MakeUnfitAsync(log);
        await log.AppendAsync(10);
        log.Options = log.Options with { WaitsForTopic = true, Partitions = 3 };
        await using Running running = Start(log);
        await Eventually(() => running.Shipper.Status.Detail?.Contains("message.timestamp.type=CreateTime", StringComparison.Ordinal) == true);
        Assert.Equal(ShipState.Connecting, running.Shipper.Status.State);
        Assert.False(running.Ended.IsCompleted);
        Assert.Empty(log.ReadTopic());

        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = log.Options.BootstrapServers }).Build();
        await admin.IncrementalAlterConfigsAsync(new()
        {
            [new() { Type = Confluent.Kafka.Admin.ResourceType.Topic, Name = log.Options.Topic }] =
            [
                new() { Name = "message.timestamp.type", Value = "LogAppendTime", IncrementalOperation = Confluent.Kafka.Admin.AlterConfigOpType.Set },
                new() { Name = "cleanup.policy", Value = "delete", IncrementalOperation = Confluent.Kafka.Admin.AlterConfigOpType.Set },
            ],
        });
        await running.Shipper.ShippedAsync(Cancellation);
        Assert.Equal(log.Sent, log.Shipped());
        Assert.Single(log.Logs.Lines, line => line.Contains("is not shipped until somebody acts", StringComparison.Ordinal));
    }

    private static Running Start(ShippedLog log) => new(log.NewShipper());

    /// <summary>Three partitions, the writers' clocks, and compacted.</summary>
    private static async Task MakeUnfitAsync(ShippedLog log)
    {
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = log.Options.BootstrapServers }).Build();
        await admin.CreateTopicsAsync([new()
        {
            Name = log.Options.Topic,
            NumPartitions = 3,
            ReplicationFactor = 1,
            Configs = new() { ["message.timestamp.type"] = "CreateTime", ["cleanup.policy"] = "compact" },
        }]);
    }

    private static async Task Eventually(Func<bool> holds)
    {
        while (!holds())
        {
            await Task.Delay(10, Cancellation);
        }
    }

    /// <summary>Ships a log further than a copy of it goes; the copy.</summary>
    private async Task<ShippedLog> ShipBeyondACopyAsync(ShippedLog log)
    {
        await log.AppendAsync(100);
        await log.Log.DisposeAsync();
        ShippedLog copy = await OpenCopyAsync(log);
        await log.ReopenAsync();
        await log.AppendAsync(100);
        await using Running running = Start(log);
        await running.Shipper.ShippedAsync(Cancellation);
        return copy;
    }

    private async Task<ShippedLog> OpenCopyAsync(ShippedLog log)
    {
        string folder = Directory.CreateTempSubdirectory("clicks-copy-").FullName;
        Copy(log.Folder, folder);
        ShippedLog copy = await ShippedLog.OpenAsync(kafka, folder: folder);
        copy.Options = log.Options;
        return copy;
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    /// <summary>A shipper at work; disposed it is cancelled.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();

        public Running(LogShipper shipper)
        {
            Shipper = shipper;
            Ended = shipper.RunAsync(_stop.Token);
        }

        public LogShipper Shipper { get; }

        public Task Ended { get; }

        public async ValueTask DisposeAsync()
        {
            if (!_stop.IsCancellationRequested)
            {
                await _stop.CancelAsync();
                await Ended;
                Shipper.Dispose();
            }
        }
    }
}
