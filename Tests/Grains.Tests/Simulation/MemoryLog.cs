using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Tests.Counting;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Tests.Simulation;

/// <summary>A click as the simulation appended it; no ad for a record that holds no click.</summary>
internal sealed record Entry(long Offset, long Appended, string? Ad, string Id, string Campaign, long Time, bool Damaged, string User = "", string Referrer = "");

/// <summary>A log with holes in its offsets, read in slabs cut at random.</summary>
internal sealed class MemoryLog(Random random) : IPartitionLog
{
    public List<Entry> Entries { get; } = [];

    public long Start { get; set; }

    public long End { get; set; }

    /// <summary>What was written and is held back lies between the end and this; 0 for nothing.</summary>
    public long Head { get; set; }

    public string Id { get; set; } = "log-1";

    public Slab Cut(long from, long to)
    {
        var rows = Entries.Where(e => e.Offset >= from && e.Offset < to)
            .Select(e => (e.Offset, e.Appended, e.Damaged ? null : e.Ad is null ? [9, 9] : FoldSamples.Click(e.Ad, e.Id, e.Time, e.Campaign, user: e.User, referrer: e.Referrer)))
            .ToList();
        return FoldSamples.Slab(from, to, rows);
    }

    public ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken) => new(new LogId(Id));

    public ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken) => new(1);

    public ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken) => new(new LogRange(Start, End) { Head = Math.Max(Head, End) });

    public async IAsyncEnumerable<Slab> ReadAsync(int partition, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (from < Start || to > End)
        {
            throw new OffsetOutOfRangeException(partition, from, to, new LogRange(Start, End));
        }

        while (from < to)
        {
            await Task.Yield();
            long next = Math.Min(to, from + random.Next(1, 60));
            yield return Cut(from, next);
            from = next;
        }
    }

    public ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken) => throw new NotSupportedException();
}
