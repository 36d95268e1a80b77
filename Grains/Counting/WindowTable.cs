using System.IO.Hashing;
using System.Text;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Finds the slot of a (series, hour) without making a string of it. Slots live on from batch to batch, up to a bound;
/// beyond it the ones that were idle longest are forgotten between batches.
/// </summary>
internal sealed class WindowTable(int chain, int maxSlots)
{
    private Entry[] _entries = new Entry[1024];
    private int _count;

    public WindowSlot Get(ReadOnlySpan<byte> series, int hour)
    {
        ulong hash = XxHash3.HashToUInt64(series, hour);
        int mask = _entries.Length - 1;
        int at = (int)hash & mask;
        while (_entries[at].Slot is WindowSlot slot)
        {
            if (_entries[at].Hash == hash && slot.Key.Hour == hour && slot.Series.AsSpan().SequenceEqual(series))
            {
                return slot;
            }

            at = (at + 1) & mask;
        }

        var made = new WindowSlot(new WindowKey(Encoding.UTF8.GetString(series), hour, chain)) { Series = series.ToArray() };
        if (_count * 2 >= _entries.Length)
        {
            Rebuild(_entries.Length * 2, long.MinValue);
        }

        Insert(_entries, hash, made);
        _count++;
        return made;
    }

    /// <summary>Forgets idle slots if there are too many. Slots with clicks that were not taken out must not exist.</summary>
    /// <param name="batch">The number of the batch that was just completed.</param>
    public void Trim(long batch)
    {
        long keep = batch - 64;
        while (_count > maxSlots && keep <= batch)
        {
            Rebuild(_entries.Length, keep);
            keep = keep == batch ? batch + 1 : Math.Min(batch, (keep + batch + 1) / 2);
        }
    }

    private void Rebuild(int size, long keepFrom)
    {
        var entries = new Entry[size];
        int count = 0;
        foreach (Entry entry in _entries)
        {
            if (entry.Slot is not null && entry.Slot.LastBatch >= keepFrom)
            {
                Insert(entries, entry.Hash, entry.Slot);
                count++;
            }
        }

        _entries = entries;
        _count = count;
    }

    private static void Insert(Entry[] entries, ulong hash, WindowSlot slot)
    {
        int mask = entries.Length - 1;
        int at = (int)hash & mask;
        while (entries[at].Slot is not null)
        {
            at = (at + 1) & mask;
        }

        entries[at] = new Entry(hash, slot);
    }

    private readonly record struct Entry(ulong Hash, WindowSlot? Slot);
}
