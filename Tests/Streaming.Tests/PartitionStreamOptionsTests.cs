using ClickAggregator.Streaming.Tests.Logs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Runtime;

namespace ClickAggregator.Streaming.Tests;

public class PartitionStreamOptionsTests
{
    [Fact]
    public void The_defaults_are_these_and_valid()
    {
        var options = new PartitionStreamOptions();
        Assert.Equal(TimeSpan.FromMilliseconds(50), options.PullPeriod);
        Assert.Equal(1 << 20, options.MaxSlabBytes);
        Assert.Equal(32L << 20, options.CacheBytes);
        Assert.Equal("clicks", options.Namespace);
        Assert.Equal(TimeSpan.FromMinutes(1), options.MaxDeliveryTime);
        Assert.Equal(TimeSpan.FromSeconds(10), options.PartitionCheckPeriod);
        Assert.Empty(options.Validate());
    }

    [Fact]
    public void All_faults_are_named_at_once() =>
        Assert.Equal(
            [
                "PartitionStreamOptions.PullPeriod must be between 1 ms and 10 s",
                "PartitionStreamOptions.MaxSlabBytes must be between 1 KiB and 64 MiB",
                "PartitionStreamOptions.CacheBytes must be between MaxSlabBytes and 4 GiB",
                "PartitionStreamOptions.Namespace must not be empty",
                "PartitionStreamOptions.MaxDeliveryTime must be between 1 s and 1 hour",
                "PartitionStreamOptions.PartitionCheckPeriod must be between 100 ms and 1 hour",
            ],
            new PartitionStreamOptions
            {
                PullPeriod = TimeSpan.Zero,
                MaxSlabBytes = 3,
                CacheBytes = 2,
                Namespace = " ",
                MaxDeliveryTime = TimeSpan.Zero,
                PartitionCheckPeriod = TimeSpan.Zero,
            }.Validate());

    [Fact]
    public async Task A_silo_with_faults_does_not_start_and_says_them_all()
    {
        using IHost host = new HostBuilder().UseOrleans(silo => silo
            .UseLocalhostClustering()
            .AddPartitionStreams("log", options => options.CacheBytes = 1)).Build();

        var fault = await Assert.ThrowsAsync<OrleansConfigurationException>(
            () => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal(
            "partition streams 'log': PartitionStreamOptions.CacheBytes must be between MaxSlabBytes and 4 GiB; "
            + "IPartitionLog is not registered, neither with the key 'log' nor without one; "
            + "IReaderStart is not registered, neither with the key 'log' nor without one",
            fault.Message);
    }

    [Fact]
    public void The_log_of_a_provider_is_the_one_with_its_name_or_else_the_one_without()
    {
        var named = new MemoryLog(1);
        var plain = new MemoryLog(1);
        using ServiceProvider services = new ServiceCollection()
            .AddKeyedSingleton<IPartitionLog>("log", named)
            .AddSingleton<IPartitionLog>(plain)
            .BuildServiceProvider();
        Assert.Same(named, PartitionAdapterFactory.KeyedOrPlain<IPartitionLog>(services, "log"));
        Assert.Same(plain, PartitionAdapterFactory.KeyedOrPlain<IPartitionLog>(services, "other"));
    }
}
