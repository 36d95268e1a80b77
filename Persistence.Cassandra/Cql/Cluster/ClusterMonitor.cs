using System.Net;
using System.Threading.Channels;
using ClickAggregator.Persistence.Cassandra.Cql.Connections;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>
/// Knows the cluster: one control connection, to any node, tells of changes; when it is lost, the next node is asked. When
/// no known node can be reached, the contact points' names are resolved again, so that a cluster all of whose
/// addresses have changed is found.
/// </summary>
internal sealed class ClusterMonitor : IAsyncDisposable
{
    // Events may be lost with their connection; this often the cluster is looked at without any.
    private static readonly TimeSpan s_period = TimeSpan.FromMinutes(1);

    private readonly CqlOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ContactPoints _contacts;
    private readonly ClusterReader _reader;
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _lock = new();
    private volatile Topology? _topology;
    // Why nodes could not be asked, since one could be the last time; the list is replaced, never changed.
    private volatile IReadOnlyList<CqlException> _refusals = [];
    private volatile CqlEndpoint? _asked;
    private TaskCompletionSource<Topology> _found = NewSource();
    private Task? _watching;
    private bool _isLost;
    private bool _disposed;

    public ClusterMonitor(CqlOptions options, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _contacts = new ContactPoints(options, resolve);
        _reader = new ClusterReader(options, time);
    }

    /// <summary>The cluster as it was last seen; null before the first time.</summary>
    public Topology? Current => _topology;

    /// <summary>The cluster, found on the first call.</summary>
    /// <exception cref="CqlException">No contact point could be asked.</exception>
    /// <exception cref="CqlTimeoutException">The deadline came first.</exception>
    public async ValueTask<Topology> GetAsync(Deadline deadline, CancellationToken cancellationToken)
    {
        if (_topology is { } known)
        {
            return known;
        }

        Task<Topology> found;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(CqlDataSource));
            _watching ??= Task.Run(WatchAsync, CancellationToken.None);
            found = _found.Task;
        }

        try
        {
            return await found.WaitAsync(deadline.Remaining, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            string refusals = CqlNoHostException.Words(_refusals);
            throw new CqlTimeoutException(
                "No contact point was reached in time"
                + (refusals.Length > 0 ? $": {refusals}" : "")
                + (_asked is { } asked ? $"{(refusals.Length > 0 ? ";" : ":")} {asked.Label} has not answered yet" : ""),
                late)
            { NotSent = true };
        }
    }

    /// <summary>Waits until all nodes that can be asked have the same schema.</summary>
    /// <exception cref="CqlTimeoutException">They have not within <see cref="CqlOptions.SchemaAgreementTimeout"/>.</exception>
    public async Task AwaitSchemaAgreementAsync(CqlConnection connection, CancellationToken cancellationToken)
    {
        Deadline deadline = Deadline.After(_time, _options.SchemaAgreementTimeout);
        for (int look = 0; ; look++)
        {
            HashSet<Guid> versions = await _reader.ReadSchemaVersionsAsync(connection, IsUp, cancellationToken).ConfigureAwait(false);
            if (versions.Count == 1)
            {
                return;
            }

            if (deadline.IsOver)
            {
                throw new CqlTimeoutException(
                    $"The schema is changed at {connection.Name}, but the nodes have {versions.Count} versions of it after {_options.SchemaAgreementTimeout}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(20 << Math.Min(look, 4), 200)), _time, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task? watching;
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            watching = _watching;
        }

        await _disposing.CancelAsync().ConfigureAwait(false);
        if (watching is not null)
        {
            await watching.ConfigureAwait(false);
        }

        _found.TrySetException(new ObjectDisposedException(nameof(CqlDataSource)));
        if (_topology is { } topology)
        {
            await Task.WhenAll(topology.Local.Select(host => host.Pool!.DisposeAsync().AsTask())).ConfigureAwait(false);
        }

        _disposing.Dispose();
    }

    // A node that is down keeps an old version for ever: only those with connections are waited for.
    private bool IsUp(IPEndPoint address) =>
        _topology?.Local.Any(host => host.Info.Endpoint.Address.Equals(address) && host.Pool!.IsUp) ?? false;

    private static TaskCompletionSource<Topology> NewSource()
    {
        var source = new TaskCompletionSource<Topology>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Nobody may be waiting for it.
        _ = source.Task.ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return source;
    }

    private async Task WatchAsync()
    {
        var pause = new Backoff(_options);
        while (!_disposing.IsCancellationRequested)
        {
            try
            {
                await WatchOnceAsync(pause).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_disposing.IsCancellationRequested)
            {
                return;
            }
            catch (CqlException fault)
            {
                // Those who wait are told now, and may ask again; the search goes on.
                if (!_isLost)
                {
                    _isLost = true;
                    CqlEvents.ClusterLost(_logger, fault.Message);
                }

                Interlocked.Exchange(ref _found, NewSource()).TrySetException(fault);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                CqlEvents.MonitorFailed(_logger, fault);
                Interlocked.Exchange(ref _found, NewSource()).TrySetException(
                    new CqlConnectionException("The cluster could not be looked at", fault) { NotSent = true });
            }

            await Task.Delay(pause.Next(), _time, _disposing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // 1. A node that answers. 2. What it knows of the cluster. 3. Events until it is lost.
    private async Task WatchOnceAsync(Backoff pause)
    {
        var signals = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        (CqlConnection control, CqlEndpoint endpoint) = await ConnectAsync(_ => signals.Writer.TryWrite(true)).ConfigureAwait(false);
        using (control)
        {
            await LookAsync(control, endpoint).ConfigureAwait(false);
            pause.Reset();
            _isLost = false;
            _refusals = [];
            using ITimer timer = _time.CreateTimer(_ => signals.Writer.TryWrite(true), null, s_period, s_period);
            _ = control.Closed.ContinueWith(
                _ => signals.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            while (await signals.Reader.WaitToReadAsync(_disposing.Token).ConfigureAwait(false))
            {
                await Task.Delay(_options.EventDelay, _time, _disposing.Token).ConfigureAwait(false);
                while (signals.Reader.TryRead(out _))
                {
                }

                await LookAsync(control, endpoint).ConfigureAwait(false);
                foreach (ClusterHost host in _topology!.Local)
                {
                    if (!host.Pool!.IsUp)
                    {
                        host.Pool.Hurry();
                    }
                }
            }
        }
    }

    // Known nodes in random order, those with connections first; then whatever the names mean now.
    private async Task<(CqlConnection Connection, CqlEndpoint Endpoint)> ConnectAsync(Action<EventMessage> onEvent)
    {
        CqlEndpoint[] known = [.. (_topology?.Local ?? [])
            .OrderBy(host => host.Pool!.IsUp ? 0 : 1).ThenBy(_ => Random.Shared.Next())
            .Select(host => host.Info.Endpoint)];
        var faults = new Dictionary<CqlEndpoint, CqlException>();
        List<CqlConnectionException> unresolved = [];
        foreach (CqlEndpoint endpoint in known)
        {
            if (await TryAsync(endpoint).ConfigureAwait(false) is { } connection)
            {
                return (connection, endpoint);
            }
        }

        (List<CqlEndpoint> contacts, unresolved) = await _contacts.ResolveAsync(_disposing.Token).ConfigureAwait(false);
        foreach (CqlEndpoint endpoint in contacts)
        {
            if (await TryAsync(endpoint).ConfigureAwait(false) is { } connection)
            {
                return (connection, endpoint);
            }
        }

        throw new CqlNoHostException("No contact point can be asked", [.. unresolved, .. faults.Values]);

        async Task<CqlConnection?> TryAsync(CqlEndpoint endpoint)
        {
            _asked = endpoint;
            try
            {
                return await CqlConnection.OpenAsync(endpoint, _options, onEvent, _time, _logger, _disposing.Token).ConfigureAwait(false);
            }
            catch (CqlException wrong)
            {
                CqlEvents.ConnectFailed(_logger, endpoint, wrong);
                faults[endpoint] = wrong;
                (_refusals, _asked) = ([.. unresolved, .. faults.Values], null);
                return null;
            }
        }
    }

    private async Task LookAsync(CqlConnection control, CqlEndpoint endpoint)
    {
        List<HostInfo> infos = await _reader.ReadHostsAsync(control, endpoint, _contacts.NameOf, _disposing.Token).ConfigureAwait(false);
        Topology? before = _topology;
        string dataCenter = _options.LocalDataCenter.Length > 0 ? _options.LocalDataCenter : before?.DataCenter ?? infos[0].DataCenter;
        IReadOnlyDictionary<string, Replication> keyspaces = before?.Keyspaces ?? new Dictionary<string, Replication>();
        try
        {
            keyspaces = await _reader.ReadKeyspacesAsync(control, dataCenter, _disposing.Token).ConfigureAwait(false);
        }
        catch (CqlServerException fault)
        {
            CqlEvents.KeyspacesUnread(_logger, fault);
        }

        var gone = new HashSet<ClusterHost>(before?.Hosts ?? []);
        var hosts = new List<ClusterHost>(infos.Count);
        foreach (HostInfo info in infos)
        {
            bool isLocal = string.Equals(info.DataCenter, dataCenter, StringComparison.Ordinal);
            ClusterHost? old = gone.FirstOrDefault(host => host.Info.Endpoint == info.Endpoint && host.Pool is not null == isLocal);
            if (old is not null)
            {
                gone.Remove(old);
            }

            hosts.Add(new ClusterHost(info, old is not null ? old.Pool : isLocal ? new HostPool(info.Endpoint, _options, _time, _logger) : null));
        }

        var topology = new Topology(hosts, dataCenter, keyspaces);
        if (before is null || gone.Count > 0 || hosts.Count != before.Hosts.Count)
        {
            CqlEvents.TopologyRead(_logger, hosts.Count, topology.Local.Count, dataCenter, control.Name);
        }

        _topology = topology;
        _found.TrySetResult(topology);
        foreach (ClusterHost host in gone)
        {
            if (host.Pool is not null)
            {
                await host.Pool.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
