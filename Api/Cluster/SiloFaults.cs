using System.Text.RegularExpressions;
using ClickAggregator.Grains;
using ClickAggregator.Persistence.Cassandra.Cql;
using Orleans.Runtime.Messaging;

namespace ClickAggregator.Api.Cluster;

/// <summary>Says in plain words why silos cannot be asked: readiness and logs are read by people who know no .NET.</summary>
internal static partial class SiloFaults
{
    public static string Words(Exception fault) => fault switch
    {
        StoreUnavailableException => fault.Message,
        CqlException => $"Cassandra: {fault.Message}",
        TimeoutException => "the silos do not answer in time",
        ConnectionFailedException => Address().Match(fault.Message) is { Success: true } address
            ? $"the silo at {address.Groups[1].Value} cannot be connected to"
            : "a silo cannot be connected to",
        SiloUnavailableException or OrleansMessageRejectionException => "the silo that was asked is gone, or does not take questions now",
        OrleansException when fault.Message.Contains("any gateway", StringComparison.Ordinal) => "no silo is in the cluster's list",
        { InnerException: { } inner } => Words(inner),
        _ => $"the silos cannot be asked ({fault.Message.TrimEnd('.')})",
    };

    // As Orleans writes a silo: S, its address and port, and when it started.
    [GeneratedRegex(@"\bS(\S+):-?\d+\b")]
    private static partial Regex Address();
}
