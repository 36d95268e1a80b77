using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>
/// The one place that says in plain words why a node could not be connected to, and whether that may pass by itself: a
/// certificate does not become another one, a process that is not there may be started.
/// </summary>
internal static class ConnectFaults
{
    /// <param name="endpoint">The node.</param>
    /// <param name="options">What it was connected with.</param>
    /// <param name="trust">Where TLS was begun.</param>
    /// <param name="isEncrypted">Whether TLS was agreed on.</param>
    /// <param name="fault">What happened.</param>
    public static CqlException Explain(CqlEndpoint endpoint, CqlOptions options, ServerTrust? trust, bool isEncrypted, Exception fault)
    {
        string node = endpoint.Label;
        bool inTls = trust is not null && !isEncrypted;
        return fault switch
        {
            CqlAuthenticationException refused => refused,
            CqlProtocolException wrong => NotCassandra(wrong),
            CqlConnectionException { InnerException: CqlProtocolException wrong } => NotCassandra(wrong),
            OperationCanceledException or CqlTimeoutException => New(
                $"{node} does not answer within {Seconds(options.ConnectTimeout)}{(inTls ? " (TLS was not agreed on)" : "")}"),
            AuthenticationException when trust?.Refusal is { } refusal => New($"{node} is not trusted: {refusal}", isTransient: false),
            AuthenticationException => New($"{node} does not speak TLS as it should, or speaks none: {Words(fault)}", isTransient: false),
            IOException when inTls => New($"{node} closes the connection where TLS is to be agreed on: {Words(fault)}"),
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => New($"{node} refuses the connection: nothing listens there"),
            SocketException { SocketErrorCode: SocketError.HostUnreachable or SocketError.NetworkUnreachable } => New($"there is no way to {node}"),
            SocketException { SocketErrorCode: SocketError.TimedOut } => New($"{node} does not answer"),
            CqlConnectionException { InnerException: CqlConnectionException closed } => New(
                $"{closed.Message} before it answered: is it a node of Cassandra{(options.Tls.Enabled ? "" : ", and does it speak without TLS")}?"),
            CqlException => New($"{node} cannot be used: {fault.Message}", ((CqlException)fault).IsTransient),
            _ => New($"{node} cannot be connected to: {Words(fault)}"),
        };

        CqlConnectionException New(string message, bool isTransient = true) => new(message, fault, isTransient) { NotSent = true };

        CqlProtocolException NotCassandra(CqlProtocolException wrong) => new(
            $"{node} does not speak as Cassandra does{(options.Tls.Enabled ? "" : ", or only with TLS")}: {wrong.Message}", fault)
        { NotSent = true };
    }

    /// <summary>Of a name that has no address now.</summary>
    public static CqlConnectionException Unresolved(string name, SocketException fault) => new(
        fault.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData
            ? $"the name {name} is not found"
            : $"the name {name} cannot be looked up now: {fault.Message}",
        fault)
    { NotSent = true };

    private static string Words(Exception fault) => fault.GetBaseException().Message.TrimEnd('.');

    private static string Seconds(TimeSpan span) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###} s");
}
