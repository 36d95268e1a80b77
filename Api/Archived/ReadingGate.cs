using ClickAggregator.Api.Queries;

namespace ClickAggregator.Api.Archived;

/// <summary>How many may read the archive through this process at once: each holds an object in memory, up to 128 MiB and what it unpacks to.</summary>
internal sealed class ReadingGate : IDisposable
{
    private const int AtOnce = 2;
    private readonly SemaphoreSlim _places = new(AtOnce);

    /// <summary>Takes a place until it is disposed of.</summary>
    /// <exception cref="QueryFaultException">There is none.</exception>
    public IDisposable Enter() => _places.Wait(0)
        ? new Place(_places)
        : throw new QueryFaultException("rate_limited", null, $"{AtOnce} callers read the archive through this server already; try again later")
        {
            Status = StatusCodes.Status429TooManyRequests,
            RetryAfter = 5,
        };

    public void Dispose() => _places.Dispose();

    private sealed class Place(SemaphoreSlim places) : IDisposable
    {
        private SemaphoreSlim? _places = places;

        public void Dispose() => Interlocked.Exchange(ref _places, null)?.Release();
    }
}
