using ClickAggregator.Streaming;
using ClickAggregator.Streaming.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Shop;

public record Purchase(string Product, int Count);

[ImplicitStreamSubscription("purchases")]
public class PurchaseGrain([PersistentState("next")] IPersistentState<Progress> progress)
    : Grain, IPurchaseGrain, IStreamSubscriptionObserver, IAsyncObserver<Purchase>
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<Purchase>().ResumeAsync(this, PartitionSequenceToken.After(progress.State.Next));

    public async Task OnNextAsync(Purchase item, StreamSequenceToken? token = null)
    {
        var at = (PartitionSequenceToken)token!;
        if (at.Offset < progress.State.Next)
        {
            return; // It came again.
        }

        // at.From > progress.State.Next is a gap, or records that somebody else removed: read it from the log.
        progress.State.Next = at.To;
        await progress.WriteStateAsync(); // Many items at once are cheaper: IAsyncBatchObserver<Purchase>.
    }

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;
}

public interface IPurchaseGrain : IGrainWithIntegerKey;

[GenerateSerializer]
public class Progress
{
    [Id(0)]
    public long Next { get; set; }
}

public static class Example
{
    public static void Configure(ISiloBuilder silo)
    {
        silo.AddKafkaStreams("kafka", options =>
        {
            options.Log.BootstrapServers = "kafka-1:9092,kafka-2:9092";
            options.Log.Topic = "purchases";
            options.Streams.Namespace = "purchases";
        });
    }

    public static void ConfigureClient(IClientBuilder client)
    {
        client.AddKafkaStreams("kafka", options =>
        {
            options.Log.BootstrapServers = "kafka-1:9092,kafka-2:9092";
            options.Log.Topic = "purchases";
            options.Streams.Namespace = "purchases";
        });
    }

    public static async Task ProduceAsync(IClusterClient client)
    {
        IStreamProvider kafka = client.GetStreamProvider("kafka");
        // The customer's purchases are in one partition, in order.
        await kafka.GetStream<Purchase>("purchases", "customer-17").OnNextAsync(new Purchase("tea", 2));
        // Partition 3.
        await kafka.GetStream<Purchase>("purchases", 3).OnNextBatchAsync([new Purchase("tea", 1), new Purchase("milk", 1)]);
        // With a key and headers of its own.
        await kafka.GetStream<KafkaMessage>("purchases", 3).OnNextAsync(
            new KafkaMessage("{}"u8.ToArray(), Key: "customer-17"u8.ToArray(), [new KafkaHeader("trace", "4bf9"u8.ToArray())]));
    }

    public static void Secure(KafkaStreamOptions options)
    {
        options.Log.Client["security.protocol"] = "sasl_ssl";
        options.Log.Client["ssl.ca.location"] = "/etc/kafka/ca.pem";
        options.Log.Client["sasl.mechanism"] = "SCRAM-SHA-512";
        options.Log.Client["sasl.username"] = "shop";
        options.Log.Client["sasl.password"] = Environment.GetEnvironmentVariable("KAFKA_PASSWORD")!;
        options.Log.Client["compression.type"] = "lz4";
    }

    public static async Task<int> CountAsync(IServiceProvider services, int partition, long from, long to)
    {
        var log = services.GetRequiredKeyedService<IPartitionLog>("kafka");
        var items = services.GetRequiredKeyedService<IItemReader>("kafka");
        int count = 0;
        await foreach (Slab slab in log.ReadAsync(partition, from, to, CancellationToken.None))
        {
            count += items.Read<Purchase>(slab, from).Sum(purchase => purchase.Item.Count);
            slab.Release();
        }

        return count;
    }

    public static async Task<LogRange> AloneAsync()
    {
        var options = new KafkaLogOptions { BootstrapServers = "kafka-1:9092,kafka-2:9092", Topic = "clicks" };
        await KafkaTopics.EnsureAsync(options); // creates the topic, or says with which command to make it fit
        await using var log = new KafkaPartitionLog(options);
        LogRange range = await log.GetRangeAsync(0, CancellationToken.None);
        return range;
    }
}
