using ClickAggregator.Api.Settings;

namespace ClickAggregator.Api.Collect;

/// <summary>
/// Bounds what posts of clicks hold together: how many are at work, and the bytes of their bodies. Who does not get in is
/// told to come again; nobody waits here, because waiting requests are memory too.
/// </summary>
internal sealed class AdmissionGate(LimitSettings limits)
{
    private int _requests;
    private long _bytes;

    public int Requests => Volatile.Read(ref _requests);

    public long Bytes => Volatile.Read(ref _bytes);

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _requests) <= limits.RequestsInFlight)
        {
            return true;
        }

        Interlocked.Decrement(ref _requests);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _requests);

    public bool TryHold(int bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= limits.BytesInFlight)
        {
            return true;
        }

        Interlocked.Add(ref _bytes, -bytes);
        return false;
    }

    public void Release(int bytes) => Interlocked.Add(ref _bytes, -bytes);
}
