using System.Buffers;
using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>A replay log in memory; what a test does to it comes before what is read.</summary>
internal sealed class MemoryReplay : IReplayLog
{
    /// <summary>Everything that was ever appended.</summary>
    public List<byte[]> Records { get; } = [];

    /// <summary>Called with the records of an append; may add others, or fail.</summary>
    public Func<List<byte[]>, Task>? Appending { get; set; }

    /// <summary>Called with what a stretch is about to give; may change it.</summary>
    public Action<List<byte[]>>? Reading { get; set; }

    /// <summary>How many stretches are open.</summary>
    public int Open { get; private set; }

    public Task<IReplayStretch> OpenAsync(int chain, CancellationToken cancellationToken)
    {
        Open++;
        return Task.FromResult<IReplayStretch>(new Stretch(this, Records.Count));
    }

    private sealed class Stretch(MemoryReplay log, int start) : IReplayStretch
    {
        public async Task AppendAsync(ReplayRecords records, CancellationToken cancellationToken)
        {
            List<byte[]> some = [.. Enumerable.Range(0, records.Count).Select(n => records[n].ToArray())];
            if (log.Appending is { } appending)
            {
                await appending(some);
            }

            log.Records.AddRange(some);
        }

        public async IAsyncEnumerable<Slab> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            List<byte[]> all = [.. log.Records.Skip(start)];
            log.Reading?.Invoke(all);
            long offset = start;
            foreach (byte[][] some in all.Chunk(7))
            {
                byte[] data = ArrayPool<byte>.Shared.Rent(Math.Max(1, some.Sum(record => record.Length)));
                SlabRecord[] records = ArrayPool<SlabRecord>.Shared.Rent(some.Length);
                int at = 0;
                for (int n = 0; n < some.Length; n++)
                {
                    some[n].CopyTo(data, at);
                    records[n] = new SlabRecord(offset + n, 1, at, some[n].Length);
                    at += some[n].Length;
                }

                yield return new Slab(0, offset, offset + some.Length, data, at, records, some.Length);
                offset += some.Length;
            }
        }

        public ValueTask DisposeAsync()
        {
            log.Open--;
            return ValueTask.CompletedTask;
        }
    }
}
