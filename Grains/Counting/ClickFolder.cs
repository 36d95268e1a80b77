using System.Buffers;
using System.Globalization;
using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Counting;

/// <summary>Folds the records of one chain by one set of rules.</summary>
public sealed class ClickFolder : IClickFolder
{
    private const int Lookahead = 32;
    private const int MaxKnownPages = 100_000;
    private readonly CountingRules _rules;
    private readonly Rollup[] _rollups;
    private readonly Recent[] _recent;
    private readonly WindowTable _windows;
    private readonly DuplicateSet _duplicates;
    private readonly List<WindowSlot> _touched = [];
    private readonly HashSet<string> _knownPages = [];
    private readonly List<PageRow> _pages = [];
    private readonly byte[] _series = new byte[SeriesName.MaxLength];
    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];
    private readonly byte[] _assignedId = new byte[64];
    private readonly UInt128[] _hashes = new UInt128[Lookahead];
    private long _batch;
    private long _counted;
    private long _repeated;
    private long _unreadable;
    private long _damaged;
    private long _expired;
    private long _late;

    /// <param name="rules">What counts.</param>
    /// <param name="chain">The number that the windows carry.</param>
    /// <param name="duplicates">The ids seen so far.</param>
    /// <param name="maxSlots">How many windows are remembered between batches.</param>
    public ClickFolder(CountingRules rules, int chain, DuplicateSet duplicates, int maxSlots = 200_000)
    {
        _rules = rules;
        _duplicates = duplicates;
        _windows = new WindowTable(chain, maxSlots);
        _rollups = [.. rules.Rollups.Select(text => Rollup.TryParse(text, out Rollup? rollup, out string? fault)
            ? rollup
            : throw new InvalidOperationException($"the stored rules {rules.Id} hold a rollup that this version does not know: {fault}"))];
        _recent = new Recent[_rollups.Length];
    }

    public long DedupFrom => _duplicates.FromOffset;

    public void Remember(Slab slab, long from, long to)
    {
        foreach (SlabRecord record in slab.Records)
        {
            if (record.Offset >= from && record.Offset < to && TryRead(slab, record, out Click click))
            {
                _duplicates.Observe(ClickHash.Compute(click), record.Timestamp, record.Offset);
            }
        }
    }

    public void Fold(Slab slab, long from, long to)
    {
        ReadOnlySpan<SlabRecord> records = slab.Records;
        int first = 0;
        while (first < records.Length && records[first].Offset < from)
        {
            first++;
        }

        int last = records.Length;
        while (last > first && records[last - 1].Offset >= to)
        {
            last--;
        }

        // In strides: hash a few dozen records and fetch what the check will look at, then check and count them.
        for (int stride = first; stride < last; stride += Lookahead)
        {
            ReadOnlySpan<SlabRecord> some = records[stride..Math.Min(last, stride + Lookahead)];
            for (int n = 0; n < some.Length; n++)
            {
                if (TryRead(slab, some[n], out Click click))
                {
                    _hashes[n] = ClickHash.Compute(click);
                    _duplicates.Prefetch(_hashes[n]);
                }
            }

            for (int n = 0; n < some.Length; n++)
            {
                if (TryRead(slab, some[n], out Click click))
                {
                    Count(click, some[n], _hashes[n]);
                }
                else if (some[n].IsDamaged)
                {
                    _damaged++;
                }
                else
                {
                    _unreadable++;
                }
            }
        }
    }

    public FoldedBatch Complete()
    {
        var windows = new FoldedWindow[_touched.Count];
        var hours = new SortedSet<int>();
        int lastHour = int.MinValue;
        for (int n = 0; n < windows.Length; n++)
        {
            WindowSlot slot = _touched[n];
            slot.Pending.Take(out byte[] minutes, out int[] counts);
            slot.LastBatch = _batch;
            windows[n] = new FoldedWindow(slot, minutes, counts);
            if (slot.Key.Hour != lastHour)
            {
                hours.Add(lastHour = slot.Key.Hour);
            }
        }

        var batch = new FoldedBatch
        {
            Windows = windows,
            Hours = [.. hours],
            Pages = [.. _pages],
            Counted = _counted,
            Duplicates = _repeated,
            Unreadable = _unreadable,
            Damaged = _damaged,
            Expired = _expired,
            Late = _late,
        };
        _touched.Clear();
        _pages.Clear();
        (_counted, _repeated, _unreadable, _damaged, _expired, _late) = (0, 0, 0, 0, 0, 0);
        Array.Clear(_recent);
        _windows.Trim(_batch);
        _batch++;
        return batch;
    }

    private void Count(in Click click, in SlabRecord record, UInt128 hash)
    {
        if (_duplicates.Observe(hash, record.Timestamp, record.Offset))
        {
            _repeated++;
            return;
        }

        // Both times stand in the record, so a replay decides alike.
        if (_rules.RetentionDays is int days && record.Timestamp - click.Timestamp > days * 86_400_000L)
        {
            _expired++;
            return;
        }

        long minuteOfEpoch = Math.DivRem(click.Timestamp, 60_000, out long rest) - (rest < 0 ? 1 : 0);
        int hour = (int)Math.DivRem(minuteOfEpoch, 60, out long minute);
        if (minute < 0)
        {
            hour--;
            minute += 60;
        }

        _counted++;
        if (record.Timestamp >= (hour + 1) * 3_600_000L)
        {
            _late++;
        }

        for (int r = 0; r < _rollups.Length; r++)
        {
            // Total and kind hit the same window over and over.
            ref Recent recent = ref _recent[r];
            WindowSlot slot;
            if (recent.Slot is not null && recent.Hour == hour && recent.Kind == click.Kind)
            {
                slot = recent.Slot;
            }
            else
            {
                int length = SeriesName.Write(_rollups[r], click, _series);
                if (length == 0)
                {
                    continue;
                }

                slot = _windows.Get(_series.AsSpan(0, length), hour);
                if (_rollups[r] is { Base: RollupBase.Total or RollupBase.Kind, ByCountry: false, ByDevice: false })
                {
                    recent = new Recent(slot, hour, click.Kind);
                }
            }

            if (slot.Pending.IsEmpty)
            {
                _touched.Add(slot);
            }

            slot.Pending.Add((int)minute);
        }

        if (!click.PageUrl.IsEmpty)
        {
            NotePage(click);
        }
    }

    private void NotePage(in Click click)
    {
        string target = "page:" + Encoding.UTF8.GetString(click.TargetId);
        if (_knownPages.Count >= MaxKnownPages)
        {
            _knownPages.Clear(); // then some are written once more, which changes nothing
        }

        if (_knownPages.Add(target))
        {
            _pages.Add(new PageRow(target, Encoding.UTF8.GetString(click.PageUrl), click.Timestamp));
        }
    }

    /// <summary>
    /// Reads a record: the compact form, or JSON as other producers write it. A missing id is made of partition and
    /// offset, a missing time is the append time: functions of the record's place.
    /// </summary>
    private bool TryRead(Slab slab, in SlabRecord record, out Click click)
    {
        if (record.IsDamaged)
        {
            click = default;
            return false;
        }

        ReadOnlySpan<byte> value = slab.Value(record);
        if (!ClickRecord.TryRead(value, out click)
            && !ClickParser.TryParse(value, _scratch, long.MaxValue / 2, out click, out _))
        {
            return false;
        }

        if (click.ClickId.IsEmpty)
        {
            System.Text.Unicode.Utf8.TryWrite(_assignedId, CultureInfo.InvariantCulture, $"log-{slab.Partition}-{record.Offset}", out int length);
            click.ClickId = _assignedId.AsSpan(0, length);
        }

        if (click.Timestamp == Click.NoTimestamp)
        {
            click.Timestamp = record.Timestamp;
        }

        return true;
    }

    private readonly record struct Recent(WindowSlot? Slot, int Hour, TargetKind Kind);
}
