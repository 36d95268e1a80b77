using System.Collections.Concurrent;
using ClickAggregator.Grains.Counting;

namespace ClickAggregator.Grains.Archive;

/// <summary>Lets so many chains of one silo make objects at the same time, each in memory that the one before it used.</summary>
public sealed class ArchiveGate(int atOnce) : IDisposable
{
    private readonly SemaphoreSlim _free = new(atOnce);
    private readonly ConcurrentBag<ArchiveMemory> _unused = [];

    internal async Task<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        return new Turn(this, _unused.TryTake(out ArchiveMemory? memory) ? memory : new ArchiveMemory());
    }

    public void Dispose() => _free.Dispose();

    /// <summary>The right to make objects, until it is disposed of.</summary>
    internal sealed class Turn(ArchiveGate gate, ArchiveMemory memory) : IDisposable
    {
        private ArchiveGate? _gate = gate;

        public ArchiveMemory Memory { get; } = memory;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _gate, null) is { } gate)
            {
                gate._unused.Add(Memory);
                gate._free.Release();
            }
        }
    }
}

/// <summary>What is large and used for one object after the other. Not safe for concurrent use.</summary>
internal sealed class ArchiveMemory
{
    /// <summary>Clicks on their way into a file; cleared by who uses them.</summary>
    public ClickRows Rows { get; } = new();

    /// <summary>Ids that nobody needs any more.</summary>
    public DuplicateSet? Ids { get; set; }
}
