namespace ClickAggregator.Grains.Counting;

/// <summary>What a slot is found by, as a view over a record's bytes: no name is built for a window that is known.</summary>
internal readonly ref struct SeriesKey
{
    public ulong Hash { get; init; }

    /// <summary>Index of the rollup in the rules.</summary>
    public byte Rollup { get; init; }

    public byte Kind { get; init; }

    public int Hour { get; init; }

    /// <summary>The two letters; 0 where absent or where the rollup does not ask for it.</summary>
    public ushort Country { get; init; }

    public ReadOnlySpan<byte> Id { get; init; }

    public ReadOnlySpan<byte> Device { get; init; }

    public bool Is(WindowSlot slot) =>
        slot.Hash == Hash && slot.Rollup == Rollup && slot.Kind == Kind && slot.Key.Hour == Hour
        && slot.Country == Country && Id.SequenceEqual(slot.Id) && Device.SequenceEqual(slot.Device);
}
