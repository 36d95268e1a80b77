using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>
/// Writing. Requests are encoded whole into the active buffer under the lock; one flusher swaps it for the empty one and
/// writes it, and meanwhile further requests gather: they leave together without any timer. Nothing cancels a write, so no
/// frame is ever cut.
/// </summary>
internal sealed partial class CqlConnection
{
    // Idle objects that are kept; more come and go with bursts.
    private const int KeptRequests = 256;

    private readonly StreamTable _streams;
    private readonly Stack<PendingRequest> _idle = new();
    private CqlBuffer _active = new(4096);
    private CqlBuffer _writing = new(4096);
    private bool _isFlushing;
    // How often a buffer was handed to the socket; what is in the active buffer belongs to the write after that.
    private long _writesBegun;

    /// <summary>Asks the node.</summary>
    /// <exception cref="CqlServerException">It answered with an error.</exception>
    /// <exception cref="CqlTimeoutException">It has not answered before the deadline.</exception>
    /// <exception cref="CqlConnectionException">The connection is broken, or full (then <see cref="CqlException.NotSent"/>).</exception>
    /// <exception cref="ArgumentException">The request is larger than a frame may be.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; the request may take effect.</exception>
    public async ValueTask<CqlResponse> SendAsync(CqlRequest request, Deadline deadline, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Frame frame = await SendAsync(request, deadline, isHeartbeat: false, cancellationToken).ConfigureAwait(false);
        CqlResponse response = CqlResponse.Parse(frame, Name);
        foreach (string warning in response.Warnings)
        {
            CqlEvents.ServerWarning(_logger, Name, warning);
        }

        return response;
    }

    /// <summary>Takes an object back that both its owners have let go.</summary>
    public void Return(PendingRequest request)
    {
        lock (_lock)
        {
            if (_state != ConnectionState.Closed && _idle.Count < KeptRequests)
            {
                _idle.Push(request);
                return;
            }
        }

        request.Dispose();
    }

    private async ValueTask<Frame> SendAsync(CqlRequest request, Deadline deadline, bool isHeartbeat, CancellationToken cancellationToken)
    {
        PendingRequest pending = Enqueue(request, deadline, isHeartbeat);
        try
        {
            // Disposing waits for a callback that is running, so none ever meets the next user of the object.
            using (cancellationToken.UnsafeRegister(static (state, token) => ((PendingRequest)state!).Cancel(token), pending))
            {
                return await pending.Answer.ConfigureAwait(false);
            }
        }
        finally
        {
            pending.Release();
        }
    }

    private PendingRequest Enqueue(CqlRequest request, Deadline deadline, bool isHeartbeat)
    {
        PendingRequest pending;
        bool flush;
        lock (_lock)
        {
            if (_state == ConnectionState.Closed || (_state == ConnectionState.Draining && !isHeartbeat))
            {
                throw new CqlConnectionException($"The connection to {Name} is closed", _fault) { NotSent = true };
            }

            pending = _idle.TryPop(out PendingRequest? idle) ? idle : new PendingRequest(this, _time);
            if (!_streams.TryAdd(pending, isHeartbeat, out short stream))
            {
                _idle.Push(pending);
                throw new CqlConnectionException($"The connection to {Name} has {_streams.Used} requests in flight and takes no more") { NotSent = true };
            }

            try
            {
                Encode(request, stream);
            }
            catch
            {
                _streams.Remove(stream);
                _idle.Push(pending);
                throw;
            }

            pending.Write = _writesBegun + 1;
            pending.Start(deadline);
            flush = !_isFlushing;
            _isFlushing = true;
        }

        if (flush)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static connection => _ = connection.FlushAsync(), this, preferLocal: false);
        }

        return pending;
    }

    private void Encode(CqlRequest request, short stream)
    {
        int start = FrameHeader.Begin(_active, stream, request.Opcode);
        try
        {
            request.WriteBody(_active);
            int length = FrameHeader.Complete(_active, start);
            if (length > _options.MaxFrameBytes)
            {
                throw new ArgumentException($"A request of {length} bytes is larger than {nameof(CqlOptions)}.{nameof(CqlOptions.MaxFrameBytes)} allows");
            }
        }
        catch
        {
            _active.Truncate(start);
            throw;
        }
    }

    private async Task FlushAsync()
    {
        try
        {
            while (true)
            {
                lock (_lock)
                {
                    _writing.Clear();
                    if (_active.Length == 0 || _state == ConnectionState.Closed)
                    {
                        _isFlushing = false;
                        return;
                    }

                    (_active, _writing) = (_writing, _active);
                    _writesBegun++;
                }

                await _stream.WriteAsync(_writing.Memory, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception fault)
        {
            // Whatever it is: there is no flusher any more, so there must be no connection.
            Close(new CqlConnectionException($"Writing to {Name} failed: {fault.Message}", fault));
        }
    }
}
