namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>
/// Which request has which stream id. An id is free again only when its answer has come: were it used again after a mere
/// timeout, the late answer would go to another request. Not safe for several threads: the connection's lock guards it.
/// </summary>
internal sealed class StreamTable
{
    private readonly PendingRequest?[] _requests;
    private readonly short[] _free;
    private int _freeCount;

    public StreamTable(int capacity)
    {
        // Two more than callers get: the heartbeat has its own, and never finds the table full.
        _requests = new PendingRequest?[Math.Min(capacity + 2, short.MaxValue + 1)];
        _free = new short[_requests.Length];
        for (int index = 0; index < _free.Length; index++)
        {
            _free[index] = (short)(_free.Length - 1 - index);
        }

        _freeCount = _free.Length;
        Capacity = capacity;
    }

    public int Capacity { get; }

    public int Used => _requests.Length - _freeCount;

    /// <summary>Ids whose caller has gone.</summary>
    public int Orphans { get; set; }

    public bool HasTooManyOrphans => Orphans >= Math.Max(1, Capacity / 4);

    /// <summary>Whether nobody waits for an answer.</summary>
    public bool IsDrained => Used <= Orphans;

    public bool TryAdd(PendingRequest request, bool isHeartbeat, out short stream)
    {
        stream = -1;
        if (_freeCount == 0 || (!isHeartbeat && Used >= Capacity))
        {
            return false;
        }

        stream = _free[--_freeCount];
        _requests[stream] = request;
        return true;
    }

    /// <summary>Frees the id; null where nothing was asked under it.</summary>
    public PendingRequest? Remove(short stream)
    {
        if (stream < 0 || stream >= _requests.Length || _requests[stream] is not { } request)
        {
            return null;
        }

        _requests[stream] = null;
        _free[_freeCount++] = stream;
        return request;
    }

    public List<PendingRequest> Clear()
    {
        var all = new List<PendingRequest>();
        for (int stream = 0; stream < _requests.Length; stream++)
        {
            if (Remove((short)stream) is { } request)
            {
                all.Add(request);
            }
        }

        Orphans = 0;
        return all;
    }
}
