using System.Collections.Concurrent;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Which records of chains repeat earlier ones, as the counting of this process has just found it: whoever reads the same records next
/// need not find it again. It is a shortcut: what is not here is found by reading the ids back. Safe for concurrent use; bounded.
/// </summary>
public sealed class RepeatBoard
{
    private readonly ConcurrentDictionary<int, Chain> _chains = new();
    private readonly int _mostRepeats;
    private readonly int _mostBatches;

    /// <param name="mostRepeats">Repeats of a chain that are kept at most (8 bytes each); the oldest batches go first.</param>
    /// <param name="mostBatches">Batches of a chain that are kept at most.</param>
    public RepeatBoard(int mostRepeats = 1_000_000, int mostBatches = 20_000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mostRepeats, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostBatches, 1);
        _mostRepeats = mostRepeats;
        _mostBatches = mostBatches;
    }

    /// <summary>Says that somebody wants to know of a chain; before that nothing is kept of it.</summary>
    public void Follow(int chain) => _chains.TryAdd(chain, new Chain());

    /// <summary>Says that nobody wants to any more.</summary>
    public void Leave(int chain) => _chains.TryRemove(chain, out _);

    /// <summary>Notes a batch. One that does not begin where the last one ended, or found its repeats by another rule, begins anew.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="rules">By which repeats were found.</param>
    /// <param name="batch">What was found.</param>
    public void Note(int chain, CountingRules rules, CountedRepeats batch)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(batch);
        if (!_chains.TryGetValue(chain, out Chain? of))
        {
            return;
        }

        lock (of)
        {
            if (of.Batches.Count > 0 && (of.End != batch.From || of.Horizon != rules.Horizon || of.MaxIds != rules.MaxIds))
            {
                of.Batches.Clear();
                of.Repeats = 0;
            }

            of.Batches.Enqueue(batch);
            of.Repeats += batch.Repeats.Count;
            (of.End, of.Horizon, of.MaxIds) = (batch.To, rules.Horizon, rules.MaxIds);
            while (of.Repeats > _mostRepeats || of.Batches.Count > _mostBatches)
            {
                of.Repeats -= of.Batches.Dequeue().Repeats.Count;
            }
        }
    }

    /// <summary>What is known of a chain from an offset on, and forgets what lies before it; null where that is nothing.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="horizon">The rule by which repeats are asked for.</param>
    /// <param name="maxIds">See <paramref name="horizon"/>.</param>
    /// <param name="from">The first offset that is asked for.</param>
    public KnownRepeats? Find(int chain, TimeSpan horizon, int maxIds, long from)
    {
        if (!_chains.TryGetValue(chain, out Chain? of))
        {
            return null;
        }

        lock (of)
        {
            if (of.Horizon != horizon || of.MaxIds != maxIds)
            {
                return null;
            }

            while (of.Batches.TryPeek(out CountedRepeats? first) && first.To <= from)
            {
                of.Repeats -= of.Batches.Dequeue().Repeats.Count;
            }

            return of.Batches.TryPeek(out CountedRepeats? next) && next.From <= from ? new KnownRepeats([.. of.Batches]) : null;
        }
    }

    private sealed class Chain
    {
        public Queue<CountedRepeats> Batches { get; } = new();

        public long Repeats { get; set; }

        public long End { get; set; }

        public TimeSpan Horizon { get; set; }

        public int MaxIds { get; set; }
    }
}

/// <summary>Which records of a batch repeat earlier ones.</summary>
/// <param name="From">The batch is [From, To).</param>
/// <param name="To">See <paramref name="From"/>.</param>
/// <param name="DedupFrom">From where ids have to be read back to decide about the batch's records.</param>
/// <param name="Repeats">Offsets of those that repeat, ascending.</param>
public sealed record CountedRepeats(long From, long To, long DedupFrom, IReadOnlyList<long> Repeats);

/// <summary>Repeats of batches in a row. It is asked in the order of offsets; not safe for concurrent use.</summary>
public sealed class KnownRepeats
{
    private readonly CountedRepeats[] _batches;
    private int _batch;
    private int _next;

    internal KnownRepeats(CountedRepeats[] batches) => _batches = batches;

    /// <summary>The first offset that nothing is known of.</summary>
    public long To => _batches[^1].To;

    /// <summary>Whether a record repeats an earlier one.</summary>
    /// <param name="offset">Below <see cref="To"/>, and not below one that was asked for before.</param>
    public bool IsRepeat(long offset)
    {
        while (_batches[_batch].To <= offset)
        {
            _batch++;
            _next = 0;
        }

        IReadOnlyList<long> repeats = _batches[_batch].Repeats;
        while (_next < repeats.Count && repeats[_next] < offset)
        {
            _next++;
        }

        return _next < repeats.Count && repeats[_next] == offset;
    }

    /// <summary>From where ids have to be read back, at most, to decide about records from an offset on, which is above the first and at most <see cref="To"/>.</summary>
    public long DedupFrom(long end) => Array.Find(_batches, batch => batch.To >= end)!.DedupFrom;
}
