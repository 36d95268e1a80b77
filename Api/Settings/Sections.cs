using ClickAggregator.Settings;

namespace ClickAggregator.Api.Settings;

/// <summary>Which names in the configuration are the API's, which are ASP.NET's, and which wait for a later version.</summary>
internal static class Sections
{
    public static readonly ProgramNames Names = new()
    {
        Sections =
            ["DataDirectory", "Demo", "Watch", "ClickLog", "Ingest", "Duplicates", "Batch", "Rollups", "Retention", "Limits", "Archive", "S3",
                "Reconciliation", "Redirect", "Cors", "Shutdown", "Kafka", "Shipper", "Cassandra", "Cluster", "Keys"],
        Others = ["Cluster:SiloPort", "Cluster:GatewayPort", "Cluster:AdvertisedAddress", "Cluster:Kubernetes"],
        HostNames = ["urls", "environment", "contentRoot", "applicationName"],
        HostSections = ["Logging", "Kestrel"],
        EnvironmentPrefix = "ASPNETCORE_",
    };
}
