using System.Collections.Concurrent;

namespace ClickAggregator.Streaming.Kafka.Tests.Clusters;

/// <summary>What the consumers of a test were given, and the durable progress of each; one instance for all silos.</summary>
internal sealed class Consumption
{
    private readonly ConcurrentDictionary<(string Namespace, int Partition), Progress> _progress = new();

    /// <summary>Called before an item is processed.</summary>
    public Func<Seen, Task> BeforeItem { get; set; } = _ => Task.CompletedTask;

    /// <summary>The offset that a consumer resumes at; null resumes with no token, as a consumer without progress.</summary>
    public long? Next(string streamNamespace, int partition) => Of(streamNamespace, partition).Next;

    public void Store(string streamNamespace, int partition, long next) => Of(streamNamespace, partition).Next = next;

    /// <summary>Everything that was delivered, in order, repetitions included.</summary>
    public Seen[] Delivered(string streamNamespace, int partition) => [.. Of(streamNamespace, partition).Delivered];

    /// <summary>What was processed: trimmed, and fenced by the progress.</summary>
    public Seen[] Processed(string streamNamespace, int partition) => [.. Of(streamNamespace, partition).Processed];

    public (long From, long To)[] Gaps(string streamNamespace, int partition) => [.. Of(streamNamespace, partition).Gaps];

    public void NoteDelivered(string streamNamespace, int partition, Seen seen) => Of(streamNamespace, partition).Delivered.Enqueue(seen);

    public void NoteGap(string streamNamespace, int partition, long from, long to) => Of(streamNamespace, partition).Gaps.Enqueue((from, to));

    /// <summary>Processes an item if the progress stands where its consumer believes, as a store's compare-and-set.</summary>
    public bool TryAdvance(string streamNamespace, int partition, long? expected, long to, Seen? seen)
    {
        Progress progress = Of(streamNamespace, partition);
        lock (progress)
        {
            if (progress.Next != expected)
            {
                return false;
            }

            progress.Next = to;
            if (seen is not null)
            {
                progress.Processed.Enqueue(seen);
            }

            return true;
        }
    }

    private Progress Of(string streamNamespace, int partition) => _progress.GetOrAdd((streamNamespace, partition), _ => new Progress());

    private sealed class Progress
    {
        public long? Next { get; set; }

        public ConcurrentQueue<Seen> Delivered { get; } = new();

        public ConcurrentQueue<Seen> Processed { get; } = new();

        public ConcurrentQueue<(long From, long To)> Gaps { get; } = new();
    }
}

internal sealed record Seen(long Offset, object Item);
