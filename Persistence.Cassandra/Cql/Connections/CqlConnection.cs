using System.IO.Pipelines;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>One connection to a node, on which many requests are in flight at once, told apart by stream ids.</summary>
internal sealed partial class CqlConnection : IDisposable
{
    private readonly CqlEndpoint _endpoint;
    private readonly CqlOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Stream _stream;
    private readonly PipeReader _reader;
    // Guards the stream ids, the buffers and the life cycle; held for as long as copying a request takes.
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _retired = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ConnectionState _state = ConnectionState.Open;
    private CqlException? _fault;
    private Action<EventMessage>? _onEvent;

    private CqlConnection(CqlEndpoint endpoint, Stream stream, CqlOptions options, TimeProvider time, ILogger logger)
    {
        _endpoint = endpoint;
        _options = options;
        _time = time;
        _logger = logger;
        _stream = stream;
        _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 32 << 10, leaveOpen: true));
        _streams = new StreamTable(options.MaxRequestsPerConnection);
    }

    /// <summary>The node, for messages.</summary>
    public string Name => _endpoint.ToString();

    /// <summary>Ends when the connection is closed, for whatever reason.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Ends when another connection should take its place: it takes no more requests.</summary>
    public Task Retired => _retired.Task;

    /// <summary>Whether it ended, or will, only because too many answers were missing.</summary>
    public bool HasRetired { get; private set; }

    /// <summary>Called before it takes no more requests.</summary>
    public Action? Retiring { get; set; }

    public bool IsOpen => _state == ConnectionState.Open;

    /// <summary>Requests in flight, orphans included.</summary>
    public int InFlight => _streams.Used;

    /// <summary>Why it was closed.</summary>
    public CqlException? Fault => _fault;

    /// <summary>Ends it; what is in flight fails.</summary>
    public void Dispose() => Close(new CqlConnectionException($"The connection to {Name} was closed by this client"));

    /// <summary>Takes no more requests, and ends when those in flight have got their answers.</summary>
    public void Retire()
    {
        Retiring?.Invoke();
        bool close;
        lock (_lock)
        {
            if (_state != ConnectionState.Open)
            {
                return;
            }

            _state = ConnectionState.Draining;
            HasRetired = true;
            close = _streams.IsDrained;
        }

        _retired.TrySetResult();
        if (close)
        {
            Dispose();
        }
    }

    /// <summary>Too many answers are missing: the ids would run out, and the node is in trouble anyway.</summary>
    public void OnOrphaned(bool timedOut)
    {
        CqlInstruments.Orphaned(timedOut);
        bool retire;
        bool close;
        lock (_lock)
        {
            _streams.Orphans++;
            retire = _state == ConnectionState.Open && _streams.HasTooManyOrphans;
            close = _state == ConnectionState.Draining && _streams.IsDrained;
        }

        if (retire)
        {
            CqlEvents.TooManyOrphans(_logger, Name, _streams.Orphans);
            Retire();
        }
        else if (close)
        {
            Dispose();
        }
    }

    private void Close(CqlException fault)
    {
        List<PendingRequest> pending;
        long begun;
        lock (_lock)
        {
            if (_state == ConnectionState.Closed)
            {
                return;
            }

            _state = ConnectionState.Closed;
            _fault = fault;
            pending = _streams.Clear();
            begun = _writesBegun;
        }

        _heartbeat?.Dispose();
        _stream.Dispose();
        foreach (PendingRequest request in pending)
        {
            request.Fail(new CqlConnectionException($"The connection to {Name} broke: {fault.Message}", fault) { NotSent = request.Write > begun });
            request.Release();
        }

        _retired.TrySetResult();
        _closed.TrySetResult();
    }
}

/// <summary>The life of a connection.</summary>
internal enum ConnectionState
{
    /// <summary>Takes requests.</summary>
    Open,

    /// <summary>Takes none, and waits for answers.</summary>
    Draining,

    Closed,
}
