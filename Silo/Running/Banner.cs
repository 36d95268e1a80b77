using ClickAggregator.Silo.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace ClickAggregator.Silo.Running;

/// <summary>What a person sees when it has started.</summary>
internal static class Banner
{
    public static void Write(TextWriter output, WebApplication app, SiloSettings settings)
    {
        EndpointOptions endpoints = app.Services.GetRequiredService<IOptions<EndpointOptions>>().Value;
        output.WriteLine();
        output.WriteLine($"Click Aggregator {typeof(Banner).Assembly.GetName().Version?.ToString(3)} - silo of the cluster {settings.Cluster.ClusterId}");
        output.WriteLine($"  counts      {settings.Kafka.Clicks.Topic} at {settings.Kafka.Clicks.BootstrapServers}");
        output.WriteLine($"  into        {settings.Cassandra.Options()}");
        output.WriteLine($"  silos reach it at {endpoints.AdvertisedIPAddress}:{endpoints.SiloPort}, the API at {endpoints.AdvertisedIPAddress}:{endpoints.GatewayPort}");
        output.WriteLine($"  health      {string.Join(", ", app.Urls.Select(url => url + "/health/ready"))}");
        output.WriteLine("  stop        Ctrl+C");
        output.WriteLine();
    }
}
