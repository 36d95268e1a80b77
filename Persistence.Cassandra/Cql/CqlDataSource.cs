using System.Net;
using ClickAggregator.Persistence.Cassandra.Cql.Cluster;
using ClickAggregator.Persistence.Cassandra.Cql.Connections;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;
using ClickAggregator.Persistence.Cassandra.Cql.Requests;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>
/// A cluster of Cassandra: one object for an application, safe for many threads. Every call has the deadline
/// <see cref="CqlOptions.RequestTimeout"/>. A call that is cancelled may take effect all the same.
/// </summary>
/// <remarks>
/// All calls throw <see cref="CqlException"/> where the database cannot be asked or refuses, ArgumentException where values do
/// not fit their statement, OperationCanceledException, and ObjectDisposedException.
/// </remarks>
public sealed partial class CqlDataSource : IAsyncDisposable
{
    private readonly CqlOptions _options;
    private readonly TimeProvider _time;
    private readonly ClusterMonitor _monitor;
    private readonly RequestSender _sender;
    // Never disposed: calls may be in flight while the source is, and it holds nothing but memory.
    private readonly SemaphoreSlim _inFlight;
    private volatile bool _disposed;

    private CqlDataSource(
        CqlOptions options, Func<string, CancellationToken, Task<IPAddress[]>> resolve, ILoggerFactory? loggers, TimeProvider? time)
    {
        ILogger logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger("ClickAggregator.Persistence.Cassandra.Cql");
        _options = options;
        _time = time ?? TimeProvider.System;
        _monitor = new ClusterMonitor(options, resolve, _time, logger);
        _sender = new RequestSender(_monitor, options, _time, logger);
        _inFlight = new SemaphoreSlim(options.MaxRequestsInFlight);
    }

    /// <summary>The addresses of the nodes that are connected now.</summary>
    public IReadOnlyList<string> ConnectedHosts =>
        [.. (_monitor.Current?.Local ?? []).Where(host => host.Pool!.IsUp).Select(host => host.Name)];

    /// <summary>The data centre that is asked: the one named in the options, or that of the first node; empty before the first call.</summary>
    public string LocalDataCenter => _monitor.Current?.DataCenter ?? "";

    /// <summary>How many nodes the local data centre has, those that are down included; 0 before the first call.</summary>
    public int LocalHostCount => _monitor.Current?.Local.Count ?? 0;

    /// <summary>What the first call connects with; nothing is connected yet.</summary>
    /// <param name="options">Not to be changed from then on.</param>
    /// <param name="loggers">Where it says what happens; by default nowhere.</param>
    /// <param name="time">The clock for deadlines and pauses.</param>
    /// <exception cref="ArgumentException">The options have faults; it names them all.</exception>
    public static CqlDataSource Create(CqlOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null) =>
        Create(options, (name, cancellationToken) => Dns.GetHostAddressesAsync(name, cancellationToken), loggers, time);

    /// <summary>Connects, so that faults are seen now and not by the first request.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken = default)
    {
        Deadline deadline = Deadline.After(_time, _options.RequestTimeout);
        Topology topology = await _monitor.GetAsync(deadline, cancellationToken).ConfigureAwait(false);
        await _sender.SendAsync(
            OptionsRequest.Instance, [], topology.Plan(null, null, isConditional: false), RequestKind.Idempotent, deadline, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes all connections; what is in flight fails.</summary>
    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return _monitor.DisposeAsync();
    }

    /// <summary>With names that mean what a test says.</summary>
    internal static CqlDataSource Create(
        CqlOptions options, Func<string, CancellationToken, Task<IPAddress[]>> resolve, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ThrowIfFaulty(nameof(options));
        return new CqlDataSource(options, resolve, loggers, time);
    }
}
