using System.Collections.Concurrent;
using System.Text;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Servers;
using ClickAggregator.Streaming;
using ClickAggregator.Streaming.Kafka;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.TestingHost;

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>
/// Several silos that count one topic. They live in this process and share one store: what is tried is who counts what while
/// partitions move, not the store.
/// </summary>
public sealed class ManySilosTests(KafkaServer kafka, ITestOutputHelper output) : IAsyncDisposable
{
    private const int Partitions = 6;
    private const int Ads = 40;
    private readonly DataFolder _data = new();
    private readonly ConcurrentDictionary<string, int> _sent = new();
    private readonly string _topic = "silos-" + Guid.NewGuid().ToString("N");
    private SqliteStore? _store;
    private int _number;

    [Fact]
    public async Task A_silo_that_comes_and_goes_every_two_seconds_under_load_changes_no_count()
    {
        await using InProcessTestCluster cluster = await StartAsync(silos: 2);
        await DuringLoadAsync(async () =>
        {
            using var clock = new PeriodicTimer(TimeSpan.FromSeconds(2));
            for (int round = 0; round < 5; round++)
            {
                InProcessSiloHandle third = await cluster.StartAdditionalSiloAsync();
                await clock.WaitForNextTickAsync();
                await cluster.StopSiloAsync(third);
                await clock.WaitForNextTickAsync();
            }
        });
        await AssertCountedAsync();
    }

    [Fact]
    public async Task Silos_that_are_killed_under_load_change_no_count()
    {
        await using InProcessTestCluster cluster = await StartAsync(silos: 3);
        await DuringLoadAsync(async () =>
        {
            await CountedAsync(10_000);
            await cluster.KillSiloAsync(cluster.Silos[2]);
            await CountedAsync(30_000);
            await cluster.KillSiloAsync(cluster.Silos[1]);
            await CountedAsync(50_000);
        });
        await AssertCountedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        _data.Dispose();
    }

    private async Task<InProcessTestCluster> StartAsync(short silos)
    {
        string servers = await kafka.BootstrapServersAsync();
        var store = new SqliteOptions { Path = Path.Combine(_data.Path, "store.db") };
        _store = SqliteStore.Open(store, NullLoggerFactory.Instance);
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<IPartitionLog>(services => new EnsuredTopic(
                new KafkaLogOptions { BootstrapServers = servers, Topic = _topic, Partitions = Partitions },
                mapping: null, ensure: true, TimeProvider.System, services.GetRequiredService<ILoggerFactory>()));
            silo.AddSqliteStore(store);
            // In the place of one of its own, which would end with the silo.
            silo.Services.AddSingleton(_store);
            silo.Services.AddSingleton<IBatchStore>(_store);
            silo.AddClickCounting(new CountingOptions { BatchInterval = TimeSpan.FromMilliseconds(100) });
        });
        InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync();
        return cluster;
    }

    /// <summary>Publishes clicks on all ads while something goes on, each fifth twice.</summary>
    private Task DuringLoadAsync(Func<Task> something) => Load.DuringAsync(stop => Task.Run(() => PublishAsync(stop), CancellationToken.None), something);

    private async Task PublishAsync(CancellationToken stop)
    {
        using IProducer<string, byte[]> producer = new ProducerBuilder<string, byte[]>(new ProducerConfig
        {
            BootstrapServers = await kafka.BootstrapServersAsync(),
            Partitioner = Confluent.Kafka.Partitioner.Murmur2Random,
            EnableIdempotence = true,
        }).Build();
        while (!stop.IsCancellationRequested)
        {
            var sending = new List<Task>();
            for (int n = 0; n < 50; n++)
            {
                int number = _number++;
                string ad = $"ad-{number % Ads}";
                byte[] click = Encoding.UTF8.GetBytes($$"""{"click_id":"c-{{number}}","ad_id":"{{ad}}","timestamp":{{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()}}}""");
                for (int copies = number % 5 == 0 ? 2 : 1; copies > 0; copies--)
                {
                    sending.Add(producer.ProduceAsync(_topic, new Message<string, byte[]> { Key = "ad:" + ad, Value = click }, CancellationToken.None));
                }

                _sent.AddOrUpdate(ad, 1, (_, clicks) => clicks + 1);
            }

            await Task.WhenAll(sending);
        }
    }

    private Task CountedAsync(long clicks) => Eventually.Async(
        $"{clicks} clicks are counted", async () => (await ReadAsync()).Values.Sum() >= clicks, TimeSpan.FromMinutes(2));

    /// <summary>What is counted against what was published; and again when more has been counted on top of it.</summary>
    private async Task AssertCountedAsync()
    {
        for (int round = 0; round < 2; round++)
        {
            await CountedAsync(_sent.Values.Sum());
            IReadOnlyDictionary<string, long> counted = await ReadAsync();
            output.WriteLine($"{_sent.Values.Sum()} published, {counted.Values.Sum()} counted");
            Assert.Equal(_sent.OrderBy(ad => ad.Key, StringComparer.Ordinal),
                counted.Select(ad => KeyValuePair.Create(ad.Key, (int)ad.Value)).OrderBy(ad => ad.Key, StringComparer.Ordinal));
            await DuringLoadAsync(() => CountedAsync(counted.Values.Sum() + 1000));
        }
    }

    /// <summary>The clicks of each ad as the windows have them, in their minutes and in their quarters.</summary>
    private async Task<IReadOnlyDictionary<string, long>> ReadAsync()
    {
        int hour = (int)(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 3600);
        IReadOnlyList<HourRow> rows = await _store!.Counts.ReadHoursAsync(
            [.. Enumerable.Range(0, Ads).Select(ad => $"ad:ad-{ad}")], hour - 1, hour + 2, withMinutes: true, TestContext.Current.CancellationToken);
        Assert.All(rows, row => Assert.Equal((false, row.Quarters.Sum()), (row.SetAside, row.Minutes!.Sum())));
        return rows.GroupBy(row => row.Series["ad:".Length..]).ToDictionary(ad => ad.Key, ad => ad.Sum(row => row.Quarters.Sum()));
    }
}
