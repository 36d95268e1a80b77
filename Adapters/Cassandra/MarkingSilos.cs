using ClickAggregator.Grains;
using Orleans.Metadata;
using Orleans.Runtime;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// Whether all silos note the days that they touch late (<see cref="HourMarks.PutLateDays"/>). Builds before that do not, and may be in the
/// cluster during a rolling upgrade, or one that is taken back: then rankings ask for the hours of each day, as before. Each build says so in
/// what silos tell each other of their grains.
/// </summary>
internal sealed class MarkingSilos(IClusterManifestProvider manifests, IClusterMembershipService members)
{
    private const string Property = "clicks-late-days";

    private Known _known = new(null, null, null);

    /// <summary>The version of the membership where all do that may still count; else null. Whoever joins or leaves makes it another one.</summary>
    public long? Version()
    {
        ClusterMembershipSnapshot snapshot = members.CurrentSnapshot;
        ClusterManifest manifest = manifests.Current;
        Known known = _known;
        if (known.Members != snapshot || known.Manifest != manifest)
        {
            _known = known = new Known(snapshot, manifest, DoAll(snapshot, manifest) ? snapshot.Version.Value : null);
        }

        return known.Version;
    }

    private static bool DoAll(ClusterMembershipSnapshot members, ClusterManifest manifest) => members.Members.Values
        .Where(member => member.Status is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping)
        .All(member => manifest.Silos.TryGetValue(member.SiloAddress, out GrainManifest? silo)
            && silo.Grains.Values.Any(grain => grain.Properties.ContainsKey(Property)));

    private sealed record Known(ClusterMembershipSnapshot? Members, ClusterManifest? Manifest, long? Version);

    /// <summary>Says of the grains that count that they do.</summary>
    internal sealed class Note : IGrainPropertiesProvider
    {
        public void Populate(Type grainClass, GrainType grainType, Dictionary<string, string> properties)
        {
            if (typeof(IPartitionGrain).IsAssignableFrom(grainClass))
            {
                properties[Property] = "";
            }
        }
    }
}
