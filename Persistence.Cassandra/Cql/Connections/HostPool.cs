using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>The connections to one node, each made again when it is lost, after pauses that grow and are partly random.</summary>
internal sealed class HostPool : IAsyncDisposable
{
    private readonly CqlEndpoint _endpoint;
    private readonly CqlOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CqlConnection?[] _connections;
    private readonly CancellationTokenSource _disposing = new();
    private readonly Task[] _keeping;
    private TaskCompletionSource _tried = NewSource();
    private TaskCompletionSource _hurry = NewSource();
    private CqlException? _fault;
    private int _open;

    public HostPool(CqlEndpoint endpoint, CqlOptions options, TimeProvider time, ILogger logger)
    {
        _endpoint = endpoint;
        _options = options;
        _time = time;
        _logger = logger;
        _connections = new CqlConnection?[options.ConnectionsPerHost];
        _keeping = [.. Enumerable.Range(0, _connections.Length).Select(slot => Task.Run(() => KeepAsync(slot)))];
    }

    /// <summary>Ends when a connection was made or could not be: the first, or one in the place of another that has retired.</summary>
    public Task Tried => Volatile.Read(ref _tried).Task;

    /// <summary>Whether there is a connection.</summary>
    public bool IsUp => Volatile.Read(ref _open) > 0;

    /// <summary>Why there is none.</summary>
    public CqlException? Fault => Volatile.Read(ref _fault);

    /// <summary>The connection with the fewest requests in flight; null where there is none.</summary>
    public CqlConnection? Get()
    {
        CqlConnection? best = null;
        for (int slot = 0; slot < _connections.Length; slot++)
        {
            if (Volatile.Read(ref _connections[slot]) is { IsOpen: true } connection && (best is null || connection.InFlight < best.InFlight))
            {
                best = connection;
            }
        }

        return best;
    }

    /// <summary>The node may be back: no more pausing.</summary>
    public void Hurry() => Interlocked.Exchange(ref _hurry, NewSource()).TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_keeping).ConfigureAwait(false);
        _disposing.Dispose();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task KeepAsync(int slot)
    {
        var pause = new Backoff(_options);
        try
        {
            while (true)
            {
                Task hurry = Volatile.Read(ref _hurry).Task;
                try
                {
                    CqlConnection connection = await CqlConnection.OpenAsync(
                        _endpoint, _options, onEvent: null, _time, _logger, _disposing.Token).ConfigureAwait(false);
                    pause.Reset();
                    await ServeAsync(slot, connection).ConfigureAwait(false);
                    if (connection.HasRetired)
                    {
                        // The node is there: no pause.
                        continue;
                    }
                }
                catch (CqlException fault)
                {
                    Volatile.Write(ref _fault, fault);
                    CqlInstruments.ConnectionLost();
                    CqlEvents.ConnectFailed(_logger, _endpoint, fault);
                    Volatile.Read(ref _tried).TrySetResult();
                }

                await Task.WhenAny(Task.Delay(pause.Next(), _time, _disposing.Token), hurry).ConfigureAwait(false);
                _disposing.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (_disposing.IsCancellationRequested)
        {
            // The pool is closed.
        }
        finally
        {
            Volatile.Read(ref _tried).TrySetResult();
        }
    }

    // Those who find no connection from now on wait for the next one, which will be made at once.
    private void OnRetiring()
    {
        TaskCompletionSource tried = Volatile.Read(ref _tried);
        if (tried.Task.IsCompleted)
        {
            Interlocked.CompareExchange(ref _tried, NewSource(), tried);
        }
    }

    private async Task ServeAsync(int slot, CqlConnection connection)
    {
        connection.Retiring = OnRetiring;
        Volatile.Write(ref _connections[slot], connection);
        CqlInstruments.Connections(1);
        if (Interlocked.Increment(ref _open) == 1)
        {
            CqlEvents.HostUp(_logger, _endpoint);
        }

        Volatile.Read(ref _tried).TrySetResult();
        try
        {
            await connection.Retired.WaitAsync(_disposing.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            connection.Dispose();
            throw;
        }
        finally
        {
            Volatile.Write(ref _connections[slot], null);
            CqlInstruments.Connections(-1);
            bool wasLast = Interlocked.Decrement(ref _open) == 0;
            if (connection is { HasRetired: false, Fault: { } fault } && !_disposing.IsCancellationRequested)
            {
                Volatile.Write(ref _fault, fault);
                CqlInstruments.ConnectionLost();
                if (wasLast)
                {
                    CqlEvents.HostDown(_logger, _endpoint, fault.Message);
                }
            }
        }
    }
}
