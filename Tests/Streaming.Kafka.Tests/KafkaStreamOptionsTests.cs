using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Hosting;
using Orleans.Runtime;

namespace ClickAggregator.Streaming.Kafka.Tests;

public class KafkaStreamOptionsTests
{
    [Fact]
    public void Only_the_brokers_have_to_be_named()
    {
        var options = new KafkaStreamOptions();
        Assert.Equal(["KafkaLogOptions.BootstrapServers must name at least one broker as host:port"], options.Validate());
        options.Log.BootstrapServers = "k:9092";
        Assert.Empty(options.Validate());

        Assert.True(options.EnsureTopic);
        Assert.Equal(KafkaStart.Earliest, options.Start);
        Assert.IsType<RecordValueMapping>(options.Mapping);
        Assert.IsType<JsonItemSerializer>(options.Serializer);
        Assert.Null(options.OnUnreadable);
        Assert.Equal(TimeSpan.FromSeconds(30), options.DeliveryTimeout);
        Assert.Equal(32 << 20, options.SendQueueBytes);
        Assert.Equal(TimeSpan.FromMilliseconds(5), options.Linger);
    }

    [Fact]
    public async Task A_silo_with_faults_does_not_start_and_says_them_all()
    {
        using IHost host = new HostBuilder().UseOrleans(silo => silo.UseLocalhostClustering().AddKafkaStreams("kafka", Faulty)).Build();
        var fault = await Assert.ThrowsAsync<OrleansConfigurationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Equal(Expected, fault.Message);
    }

    [Fact]
    public async Task A_client_with_faults_does_not_start_and_says_them_all()
    {
        using IHost host = new HostBuilder().UseOrleansClient(client => client.UseLocalhostClustering().AddKafkaStreams("kafka", Faulty)).Build();
        var fault = await Assert.ThrowsAsync<OrleansConfigurationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Equal(Expected, fault.Message);
    }

    [Fact]
    public void Every_setting_of_the_streams_gets_there()
    {
        using IHost host = new HostBuilder().UseOrleans(silo => silo.UseLocalhostClustering().AddKafkaStreams("kafka", options =>
        {
            options.Log.BootstrapServers = "k:9092";
            options.Streams.PullPeriod = TimeSpan.FromMilliseconds(11);
            options.Streams.MaxSlabBytes = 12 << 10;
            options.Streams.CacheBytes = 13 << 20;
            options.Streams.Namespace = "fourteen";
            options.Streams.MaxDeliveryTime = TimeSpan.FromSeconds(15);
            options.Streams.PartitionCheckPeriod = TimeSpan.FromSeconds(16);
        })).Build();
        PartitionStreamOptions asked = host.Services.GetRequiredService<IOptionsMonitor<KafkaStreamOptions>>().Get("kafka").Streams;
        PartitionStreamOptions got = host.Services.GetRequiredService<IOptionsMonitor<PartitionStreamOptions>>().Get("kafka");
        var defaults = new PartitionStreamOptions();
        Assert.All(typeof(PartitionStreamOptions).GetProperties(), property =>
        {
            Assert.Equal(property.GetValue(asked), property.GetValue(got));
            Assert.NotEqual(property.GetValue(defaults), property.GetValue(got));
        });
    }

    [Fact]
    public void Secrets_are_never_printed()
    {
        var options = new KafkaStreamOptions { Log = { Client = { ["sasl.password"] = "hunter2", ["ssl.key.pem"] = "hunter2" } } };
        Assert.DoesNotContain("hunter2", options.ToString() + string.Concat(options.Validate()), StringComparison.Ordinal);
    }

    private static void Faulty(KafkaStreamOptions options)
    {
        options.Log.Partitions = 0;
        options.Log.Client["acks"] = "1";
        options.Log.Client["linger.ms"] = "3";
        options.Log.Client["sasl.pasword"] = "x";
        options.Streams.CacheBytes = 1;
        options.Start = (KafkaStart)7;
        options.Mapping = null!;
        options.Serializer = null!;
        options.DeliveryTimeout = TimeSpan.Zero;
        options.SendQueueBytes = 1;
        options.Linger = TimeSpan.FromSeconds(2);
    }

    private const string Expected =
        "Kafka streams 'kafka': KafkaLogOptions.BootstrapServers must name at least one broker as host:port; "
        + "KafkaLogOptions.Partitions must be between 1 and 10,000; "
        + "KafkaLogOptions.Client:sasl.pasword is not accepted by librdkafka: No such configuration property: \"sasl.pasword\"; "
        + "PartitionStreamOptions.CacheBytes must be between MaxSlabBytes and 4 GiB; "
        + "KafkaStreamOptions.Start must be Earliest or Latest; "
        + "KafkaStreamOptions.Mapping must not be null; "
        + "KafkaStreamOptions.Serializer must not be null; "
        + "KafkaStreamOptions.DeliveryTimeout must be between 1 s and 1 hour; "
        + "KafkaStreamOptions.SendQueueBytes must be between 1 MiB and 1 GiB; "
        + "KafkaStreamOptions.Linger must be between 0 and 1 s; "
        + "KafkaStreamOptions.Linger must be below DeliveryTimeout; "
        + "KafkaLogOptions.Client:acks must be left to the provider: its promises rest on it; "
        + "KafkaLogOptions.Client:linger.ms is set by KafkaStreamOptions.Linger";
}
