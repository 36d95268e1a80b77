using System.IO.Hashing;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>Maps clicks to windows by the rollups and adds them up per minute.</summary>
internal sealed class WindowCounter
{
    private const int Kinds = 6;

    private readonly Rollup[] _rollups;
    private readonly int _chain;
    private readonly int _maxSlots;
    private readonly SlotTable _slots = new();
    private readonly List<WindowSlot> _dirty = [];

    // total and kind meet every click: their windows of the hour seen last, per rollup and kind.
    private readonly WindowSlot?[] _plain;

    // Ids come from outside: with an unknown seed nobody can choose ids that all meet in one place of the table.
    private readonly long _seed = Random.Shared.NextInt64();
    private long _batch;

    public WindowCounter(RollupSet rollups, int chain, int maxSlots)
    {
        _rollups = [.. rollups];
        _chain = chain;
        _maxSlots = maxSlots;
        _plain = new WindowSlot?[_rollups.Length * Kinds];
    }

    public void Count(in Click click, int hour, int minute)
    {
        for (int i = 0; i < _rollups.Length; i++)
        {
            Rollup rollup = _rollups[i];
            WindowSlot? slot;
            if (rollup.Base <= RollupBase.Kind && !rollup.ByCountry && !rollup.ByDevice)
            {
                int place = (i * Kinds) + (rollup.Base == RollupBase.Kind ? (int)click.Kind : 0);
                slot = _plain[place];
                if (slot is null || slot.Key.Hour != hour)
                {
                    _plain[place] = slot = Find(rollup, i, in click, hour);
                }
            }
            else if (rollup.Base == RollupBase.Campaign && click.CampaignId.IsEmpty)
            {
                continue;
            }
            else
            {
                slot = Find(rollup, i, in click, hour);
            }

            if (slot.Tally.IsEmpty)
            {
                slot.TouchedIn = _batch;
                _dirty.Add(slot);
            }

            slot.Tally.Add(minute);
        }
    }

    /// <summary>The deltas since the last call, ordered by series and hour, and their hours, ascending.</summary>
    public FoldedWindow[] Take(out int[] hours)
    {
        _dirty.Sort(static (a, b) =>
        {
            int order = string.CompareOrdinal(a.Key.Series, b.Key.Series);
            return order != 0 ? order : a.Key.Hour.CompareTo(b.Key.Hour);
        });
        var minutes = new MinuteCount[_dirty.Sum(s => s.Tally.Minutes)];
        var windows = new FoldedWindow[_dirty.Count];
        var seen = new SortedSet<int>();
        int at = 0;
        for (int i = 0; i < windows.Length; i++)
        {
            WindowSlot slot = _dirty[i];
            var taken = new Memory<MinuteCount>(minutes, at, slot.Tally.Minutes);
            slot.Tally.Take(taken.Span);
            at += taken.Length;
            windows[i] = new FoldedWindow(slot, taken);
            seen.Add(slot.Key.Hour);
        }

        _dirty.Clear();
        _batch++;
        if (_slots.Count > _maxSlots)
        {
            // The short cuts too: a dropped slot must not be found by one way and made anew by the other.
            Array.Clear(_plain);
            _slots.Trim(_maxSlots);
        }

        hours = [.. seen];
        return windows;
    }

    /// <summary>Forgets the last stamps of the windows of some hours.</summary>
    public void Forget(IReadOnlySet<int> hours) => _slots.Forget(hours);

    private WindowSlot Find(Rollup rollup, int index, in Click click, int hour)
    {
        ReadOnlySpan<byte> id = rollup.Base switch
        {
            RollupBase.Target => click.TargetId,
            RollupBase.Campaign => click.CampaignId,
            _ => default,
        };
        ReadOnlySpan<byte> device = rollup.ByDevice ? click.Device : default;
        var kind = rollup.Base is RollupBase.Kind or RollupBase.Target ? (byte)click.Kind : (byte)0;
        var country = rollup.ByCountry && click.Country.Length == 2 ? (ushort)((click.Country[0] << 8) | click.Country[1]) : (ushort)0;
        ulong hash = id.IsEmpty ? (ulong)_seed : XxHash3.HashToUInt64(id, _seed);
        if (!device.IsEmpty)
        {
            hash = Mix(hash, XxHash3.HashToUInt64(device, _seed));
        }

        hash = Mix(hash, ((ulong)(uint)hour << 32) | ((ulong)country << 16) | ((uint)kind << 8) | (uint)index);
        var key = new SeriesKey
        {
            Hash = hash,
            Rollup = (byte)index,
            Kind = kind,
            Hour = hour,
            Country = country,
            Id = id,
            Device = device,
        };
        return _slots.Find(in key) ?? Make(rollup, in key, in click);
    }

    private WindowSlot Make(Rollup rollup, in SeriesKey key, in Click click)
    {
        bool plainTarget = rollup is { Base: RollupBase.Target, ByCountry: false, ByDevice: false };
        var slot = new WindowSlot(new WindowKey(SeriesName.Of(rollup, in click)!, key.Hour, _chain), in key)
        {
            TopKind = plainTarget ? click.Kind : TargetKind.None,
        };
        _slots.Add(slot);
        return slot;
    }

    private static ulong Mix(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a ^ 0x9E3779B97F4A7C15, b ^ 0xD1B54A32D192ED03, out ulong low);
        return high ^ low;
    }
}
