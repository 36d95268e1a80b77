using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Folds the records of one chain: reads, drops duplicates, and adds the rest to its windows. Nothing here looks at a
/// clock, at where a slab ends, or at anything else but the records and the rules. Not safe for concurrent use.
/// </summary>
public sealed class ClickFolder : IClickFolder
{
    /// <summary>How many idle windows are kept from batch to batch, unless told otherwise.</summary>
    public const int DefaultMaxSlots = 100_000;

    // A chunk is read, then looked up as a whole, then counted: its cache misses overlap, and it stays in the cache.
    private const int Chunk = 128;
    private const long MinuteMilliseconds = 60_000;
    private const long HourMilliseconds = 60 * MinuteMilliseconds;
    private const long DayMilliseconds = 24 * HourMilliseconds;

    private readonly RecordReader _reader = new();
    private readonly DuplicateSet _duplicates;
    private readonly WindowCounter _windows;
    private readonly long _retention;
    private readonly UInt128[] _hashes = new UInt128[Chunk];
    private readonly long[] _times = new long[Chunk];
    private readonly long[] _offsets = new long[Chunk];
    private readonly bool[] _repeats = new bool[Chunk];
    private readonly int[] _at = new int[Chunk];
    private readonly HashSet<UInt128> _pagesSeen = [];
    private List<PageRow> _pages = [];
    private List<long> _repeatedAt = [];
    private Dictionary<string, long> _unreadable = [];
    private long[] _late = new long[LateAges.Count];
    private long _counted;
    private long _damaged;
    private long _expired;
    private long _lastTimestamp;
    private long _end;

    /// <param name="rules">How to count.</param>
    /// <param name="chain">The chain's number, which its windows carry.</param>
    /// <param name="duplicates">What the chain saw; with the rules' horizon and size.</param>
    /// <param name="maxSlots">How many idle windows are kept between batches; at least 1.</param>
    public ClickFolder(CountingRules rules, int chain, DuplicateSet duplicates, int maxSlots = DefaultMaxSlots)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(duplicates);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSlots, 1);
        if (rules.ParserVersion != ClickRecord.ParserVersion)
        {
            throw new NotSupportedException(
                $"the rules {rules.Id} need parser version {rules.ParserVersion}; this build has {ClickRecord.ParserVersion}");
        }

        _duplicates = duplicates;
        _windows = new WindowCounter(rules.Rollups, chain, maxSlots);
        _retention = rules.RetentionDays is { } days ? days * DayMilliseconds : long.MaxValue;
    }

    /// <inheritdoc/>
    public long DedupFrom => _duplicates.Oldest ?? _end;

    /// <inheritdoc/>
    public void Remember(Slab slab, long from, long to) => Read(slab, from, to, fold: false);

    /// <inheritdoc/>
    public void Fold(Slab slab, long from, long to) => Read(slab, from, to, fold: true);

    /// <inheritdoc/>
    public void Forget(IReadOnlySet<int> hours) => _windows.Forget(hours);

    /// <inheritdoc/>
    public FoldedBatch Complete()
    {
        FoldedWindow[] windows = _windows.Take(out int[] hours);
        var batch = new FoldedBatch
        {
            Windows = windows,
            Hours = hours,
            Counted = _counted,
            Repeats = _repeatedAt,
            UnreadableBy = _unreadable,
            Damaged = _damaged,
            Expired = _expired,
            LateByAge = _late,
            Pages = _pages,
            LastTimestamp = _lastTimestamp,
        };
        _pages = [];
        _repeatedAt = [];
        _unreadable = [];
        _pagesSeen.Clear();
        _late = new long[LateAges.Count];
        _counted = _damaged = _expired = _lastTimestamp = 0;
        return batch;
    }

    private void Read(Slab slab, long from, long to, bool fold)
    {
        ArgumentNullException.ThrowIfNull(slab);
        ReadOnlySpan<SlabRecord> records = slab.Records;
        int first = FirstFrom(records, from);
        int last = first + FirstFrom(records[first..], to);
        for (int at = first; at < last; at += Chunk)
        {
            ReadChunk(slab, records[at..int.Min(last, at + Chunk)], fold);
        }

        _end = long.Max(_end, long.Min(to, slab.To));
    }

    private void ReadChunk(Slab slab, ReadOnlySpan<SlabRecord> records, bool fold)
    {
        int count = 0;
        for (int i = 0; i < records.Length; i++)
        {
            ref readonly SlabRecord record = ref records[i];
            if (record.IsDamaged)
            {
                _damaged += fold ? 1 : 0;
            }
            else if (_reader.TryRead(slab.Value(in record), in record, out Click click))
            {
                _hashes[count] = RecordReader.Hash(in click, record.Offset);
                _times[count] = record.Timestamp;
                _offsets[count] = record.Offset;
                _at[count++] = i;
            }
            else if (fold)
            {
                string reason = _reader.Fault(slab.Value(in record), in record)!.Value.Reason;
                _unreadable[reason] = _unreadable.GetValueOrDefault(reason) + 1;
            }
        }

        _duplicates.Add(_hashes.AsSpan(0, count), _times.AsSpan(0, count), _offsets.AsSpan(0, count), _repeats.AsSpan(0, count));
        if (!fold)
        {
            return;
        }

        for (int i = 0; i < count; i++)
        {
            if (_repeats[i])
            {
                _repeatedAt.Add(_offsets[i]);
            }
            else
            {
                ref readonly SlabRecord record = ref records[_at[i]];

                // Read again: a click is a view, which nothing can keep, and reading is cheap while it is cached.
                _reader.TryRead(slab.Value(in record), in record, out Click click);
                Count(in click, record.Timestamp);
            }
        }

        _lastTimestamp = records[^1].Timestamp;
    }

    private void Count(in Click click, long appended)
    {
        if (_retention != long.MaxValue && appended - click.Timestamp > _retention)
        {
            _expired++;
            return;
        }

        _counted++;
        int hour = (int)(click.Timestamp / HourMilliseconds);
        long behind = (appended / HourMilliseconds) - hour;
        if (behind > 0)
        {
            _late[LateAges.Of(behind)]++;
        }

        _windows.Count(in click, hour, (int)(click.Timestamp / MinuteMilliseconds % 60));
        if (!click.PageUrl.IsEmpty)
        {
            NotePage(in click);
        }
    }

    private void NotePage(in Click click)
    {
        if (_pagesSeen.Add(ClickHash.Compute(click.Kind, click.TargetId, default)))
        {
            string target = SeriesName.Of(s_target, in click)!;
            _pages.Add(new PageRow(target, System.Text.Encoding.UTF8.GetString(click.PageUrl), click.Timestamp));
        }
    }

    private static readonly Rollup s_target = new(RollupBase.Target);

    private static int FirstFrom(ReadOnlySpan<SlabRecord> records, long offset)
    {
        int low = 0;
        int high = records.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (records[middle].Offset < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
