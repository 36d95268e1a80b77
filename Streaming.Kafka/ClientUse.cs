namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// Keeps a client of Confluent's library from being closed while a call is within it: the library hands its bare pointer to
/// librdkafka, and a client that is closed meanwhile takes the process with it.
/// </summary>
internal sealed class ClientUse
{
    private readonly object _lock = new();
    private int _calls;
    private bool _closed;

    /// <summary>Makes a call; it may start something that goes on after it.</summary>
    /// <exception cref="ObjectDisposedException">The client is closed, or about to be.</exception>
    public T Call<T>(Func<T> call)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _calls++;
        }

        try
        {
            return call();
        }
        finally
        {
            lock (_lock)
            {
                _calls--;
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <summary>Waits for the calls that are within the client; from then on there are none, and it may be closed.</summary>
    /// <returns>False where it was closed before.</returns>
    public bool Close()
    {
        lock (_lock)
        {
            bool first = !_closed;
            _closed = true;
            while (_calls > 0)
            {
                Monitor.Wait(_lock);
            }

            return first;
        }
    }
}
