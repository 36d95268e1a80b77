using System.Globalization;
using ClickAggregator.Persistence.Cassandra.Cql;
using Orleans;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra.Clustering;

/// <summary>A silo as a row of <c>membership</c>. Times are UTC, kept to the millisecond.</summary>
internal static class MembershipRow
{
    /// <summary>What a write sets, in the order of <see cref="AddTo"/>; after them come cluster and silo.</summary>
    public static CqlValues AddTo(CqlValues values, Guid etag, MembershipEntry entry) => values
        .Add(etag)
        .Add(entry.Status.ToString())
        .Add(entry.ProxyPort)
        .Add(entry.HostName)
        .Add(entry.SiloName)
        .Add(entry.RoleName)
        .Add(entry.UpdateZone)
        .Add(entry.FaultZone)
        .Add(Utc(entry.StartTime))
        .Add(Utc(entry.IAmAliveTime))
        .Add(entry.SuspectTimes?.ConvertAll(TextOf));

    /// <param name="row">Of a silo.</param>
    /// <param name="alive">When it last said that it lives, if it has since the row was written.</param>
    public static Tuple<MembershipEntry, string> Read(CqlRow row, DateTimeOffset? alive)
    {
        DateTimeOffset written = row.Get<DateTimeOffset>("alive");
        var entry = new MembershipEntry
        {
            SiloAddress = SiloAddress.FromParsableString(row.Get<string>("silo")),
            Status = Enum.Parse<SiloStatus>(row.Get<string>("status")),
            ProxyPort = row.Get<int>("proxy_port"),
            HostName = row.GetOrDefault<string>("host_name")!,
            SiloName = row.GetOrDefault<string>("silo_name")!,
            RoleName = row.GetOrDefault<string>("role_name"),
            UpdateZone = row.Get<int>("update_zone"),
            FaultZone = row.Get<int>("fault_zone"),
            StartTime = row.Get<DateTimeOffset>("started").UtcDateTime,
            IAmAliveTime = (alive > written ? alive.Value : written).UtcDateTime,
            SuspectTimes = row.IsNull("suspicions") ? null : row.Get<List<string>>("suspicions").ConvertAll(SuspicionOf),
        };
        return Tuple.Create(entry, row.Get<Guid>("etag").ToString());
    }

    /// <summary>When something was last heard of a silo: by itself, or by those who suspect it.</summary>
    public static DateTimeOffset LastSeen(MembershipEntry entry) =>
        (entry.SuspectTimes ?? []).Select(each => each.Item2).Append(entry.StartTime).Append(entry.IAmAliveTime).Select(Utc).Max();

    public static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));

    private static string TextOf(Tuple<SiloAddress, DateTime> suspicion) =>
        $"{suspicion.Item1.ToParsableString()} {DateTime.SpecifyKind(suspicion.Item2, DateTimeKind.Utc):O}";

    private static Tuple<SiloAddress, DateTime> SuspicionOf(string text)
    {
        string[] parts = text.Split(' ', 2);
        return Tuple.Create(
            SiloAddress.FromParsableString(parts[0]), DateTime.Parse(parts[1], CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind));
    }
}
