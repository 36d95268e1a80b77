namespace ClickAggregator.Grains.Archive;

/// <summary>Lets so many chains of one silo make objects at the same time: that is what takes memory.</summary>
public sealed class ArchiveGate(int atOnce) : IDisposable
{
    private readonly SemaphoreSlim _free = new(atOnce);

    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        return new Leave(_free);
    }

    public void Dispose() => _free.Dispose();

    private sealed class Leave(SemaphoreSlim free) : IDisposable
    {
        private SemaphoreSlim? _free = free;

        public void Dispose() => Interlocked.Exchange(ref _free, null)?.Release();
    }
}
