using System.Diagnostics.Metrics;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>What the client counts. The meter is <see cref="MeterName"/>.</summary>
public static class CqlInstruments
{
    /// <summary>To be named when metrics are exported.</summary>
    public const string MeterName = "ClickAggregator.Persistence.Cassandra.Cql";

    private static readonly Meter s_meter = new(MeterName);
    private static readonly Histogram<double> s_duration = s_meter.CreateHistogram(
        "cql_request_duration", "s", "How long requests took, retries included, by how they ended; none: cancelled, or values that did not fit",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });
    private static readonly Counter<long> s_retries = s_meter.CreateCounter<long>(
        "cql_retries", description: "Requests that were sent to another node, by the fault of the one before");
    private static readonly Counter<long> s_orphans = s_meter.CreateCounter<long>(
        "cql_orphans", description: "Requests whose caller went away before the answer came, by the reason");
    private static readonly Counter<long> s_prepared = s_meter.CreateCounter<long>(
        "cql_prepared", description: "Statements prepared, by whether a node had forgotten them");
    private static readonly UpDownCounter<long> s_connections = s_meter.CreateUpDownCounter<long>(
        "cql_connections", description: "Open connections");
    private static readonly Counter<long> s_connectionsLost = s_meter.CreateCounter<long>(
        "cql_connections_lost", description: "Connections that broke or could not be made");
    private static readonly Counter<long> s_unknown = s_meter.CreateCounter<long>(
        "cql_cas_unknown", description: "Conditional writes of which nobody can tell whether they were applied");

    internal static void Finished(TimeSpan duration, string outcome) =>
        s_duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));

    internal static void Retried(string fault) => s_retries.Add(1, new KeyValuePair<string, object?>("fault", fault));

    internal static void Orphaned(bool timedOut) =>
        s_orphans.Add(1, new KeyValuePair<string, object?>("reason", timedOut ? "timeout" : "cancelled"));

    internal static void Prepared(bool again) => s_prepared.Add(1, new KeyValuePair<string, object?>("again", again));

    internal static void Connections(int change) => s_connections.Add(change);

    internal static void ConnectionLost() => s_connectionsLost.Add(1);

    internal static void CasUnknown() => s_unknown.Add(1);
}
