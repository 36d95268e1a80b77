using System.Net;
using ClickAggregator.Settings;
using k8s;

namespace ClickAggregator.Silo.Settings;

/// <summary><c>Cluster:*</c>, as far as silos and their clients read it alike.</summary>
public sealed record ClusterSettings(string ClusterId, string ServiceId)
{
    /// <summary>Reads it.</summary>
    public static ClusterSettings Read(SettingReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return new ClusterSettings(
            reader.Text("Cluster:ClusterId", "clicks", "silos with the same one find each other"),
            reader.Text("Cluster:ServiceId", "clicks", "whose state it is; stays the same for ever"));
    }
}

/// <summary><c>Cluster:*</c>, as far as only silos read it.</summary>
/// <param name="SiloPort">For other silos.</param>
/// <param name="GatewayPort">For clients.</param>
/// <param name="AdvertisedAddress">Where others reach this silo; null for the host's own address.</param>
/// <param name="Kubernetes">Whether Kubernetes is asked which silos' pods are gone.</param>
public sealed record SiloEndpointSettings(int SiloPort, int GatewayPort, IPAddress? AdvertisedAddress, bool Kubernetes)
{
    /// <summary>Reads it.</summary>
    public static SiloEndpointSettings Read(SettingReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        int silo = reader.Number("Cluster:SiloPort", 11_111, 1, 65_535, "where other silos reach this one");
        int gateway = reader.Number("Cluster:GatewayPort", 30_000, 1, 65_535, "where the API reaches this silo");
        string? address = reader.OptionalText("Cluster:AdvertisedAddress", "an IP address", "where others reach this silo; by default the host's");
        IPAddress? parsed = null;
        if (address is not null && !IPAddress.TryParse(address, out parsed))
        {
            reader.Fault("Cluster:AdvertisedAddress", $"must be an IP address, and is \"{address}\"");
        }

        if (silo == gateway)
        {
            reader.Fault("Cluster:GatewayPort", "must be another port than Cluster:SiloPort");
        }

        bool kubernetes = reader.Flag("Cluster:Kubernetes", null, "in a pod of Kubernetes: silos also learn from it which pods are gone");
        if (kubernetes && !KubernetesClientConfiguration.IsInCluster())
        {
            reader.Fault("Cluster:Kubernetes", "must be false outside a pod of Kubernetes that has the token of a service account");
        }

        return new SiloEndpointSettings(silo, gateway, parsed, kubernetes);
    }
}
