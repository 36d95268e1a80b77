using ClickAggregator.Settings;

namespace ClickAggregator.Api.Settings;

/// <summary>Which names in the configuration are the API's, which are ASP.NET's, and which wait for a later version.</summary>
internal static class Sections
{
    public static readonly ProgramNames Names = new()
    {
        Sections =
            ["DataDirectory", "Demo", "Watch", "ClickLog", "Ingest", "Duplicates", "Batch", "Rollups", "Retention", "Limits", "Archive", "S3",
                "Redirect", "Cors", "Shutdown", "Kafka", "Shipper", "Cassandra", "Cluster", "Keys"],
        Others = ["Cluster:SiloPort", "Cluster:GatewayPort", "Cluster:AdvertisedAddress", "Cluster:Kubernetes"],
        Refused = new[]
        {
            ("Reconciliation", "reconciliation"),
        }.ToDictionary(later => later.Item1, later => $"is not in this version yet ({later.Item2})"),
        HostNames = ["urls", "environment", "contentRoot", "applicationName"],
        HostSections = ["Logging", "Kestrel"],
        EnvironmentPrefix = "ASPNETCORE_",
    };
}
