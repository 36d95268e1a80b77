namespace ClickAggregator.Grains.Counting;

/// <summary>The windows a chain works on, found by the parts of a click, bounded between batches.</summary>
internal sealed class SlotTable
{
    private WindowSlot?[] _slots = new WindowSlot?[1024];

    public int Count { get; private set; }

    public WindowSlot? Find(in SeriesKey key)
    {
        int mask = _slots.Length - 1;
        for (int at = (int)key.Hash & mask; _slots[at] is { } slot; at = (at + 1) & mask)
        {
            if (key.Is(slot))
            {
                return slot;
            }
        }

        return null;
    }

    public void Add(WindowSlot slot)
    {
        if ((Count + 1) * 2 > _slots.Length)
        {
            Rebuild(_slots.Length * 2, long.MinValue);
        }

        Put(slot);
    }

    /// <summary>Forgets the last stamps of the windows of some hours.</summary>
    public void Forget(IReadOnlySet<int> hours)
    {
        foreach (WindowSlot? slot in _slots)
        {
            if (slot is not null && hours.Contains(slot.Key.Hour))
            {
                slot.LastStamp = null;
            }
        }
    }

    /// <summary>
    /// Brings the table down to three quarters of <paramref name="most"/> when it holds more than that, oldest first.
    /// Which slots go decides no number: a slot that comes back only makes its window read its row again.
    /// </summary>
    public void Trim(int most)
    {
        if (Count <= most)
        {
            return;
        }

        long[] touched = [.. _slots.OfType<WindowSlot>().Select(s => s.TouchedIn)];
        Array.Sort(touched);
        Rebuild(_slots.Length, touched[touched.Length - (most - (most / 4))]);
        if (Count > most)
        {
            // All of one batch: none is idle. Starting anew keeps the bound.
            _slots = new WindowSlot?[1024];
            Count = 0;
        }
    }

    private void Rebuild(int size, long since)
    {
        WindowSlot?[] old = _slots;
        _slots = new WindowSlot?[size];
        Count = 0;
        foreach (WindowSlot? slot in old)
        {
            if (slot is not null && slot.TouchedIn >= since)
            {
                Put(slot);
            }
        }
    }

    private void Put(WindowSlot slot)
    {
        int mask = _slots.Length - 1;
        int at = (int)slot.Hash & mask;
        while (_slots[at] is not null)
        {
            at = (at + 1) & mask;
        }

        _slots[at] = slot;
        Count++;
    }
}
