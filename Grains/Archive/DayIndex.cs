namespace ClickAggregator.Grains.Archive;

/// <summary>Which objects of the table hold a day's clicks of a chain.</summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.DayIndex")]
public sealed record DayIndex
{
    /// <summary>The archive it is of: the hash of the first entry of its manifest.</summary>
    [Id(0)]
    public string Archive { get; init; } = "";

    [Id(1)]
    public IReadOnlyList<DayObject> Objects { get; init; } = [];

    /// <summary>The index once an entry is applied. Entries of another archive than before begin it anew.</summary>
    public DayIndex After(DayChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        IEnumerable<DayObject> kept = change.Archive == Archive ? Objects : [];
        var changed = change.Adds.Select(one => one.Key).Concat(change.Takes).ToHashSet(StringComparer.Ordinal);

        // What a later entry said of an object stands: this one is applied again after a crash, or from the manifest.
        var later = kept.Where(one => changed.Contains(one.Key) && one.Entry > change.Entry).ToDictionary(one => one.Key, StringComparer.Ordinal);
        return new DayIndex
        {
            Archive = change.Archive,
            Objects =
            [
                .. kept.Where(one => !changed.Contains(one.Key) || later.ContainsKey(one.Key))
                    .Concat(change.Adds.Where(one => !later.ContainsKey(one.Key)))
                    .OrderBy(one => one.Hour).ThenBy(one => one.From).ThenBy(one => one.Key, StringComparer.Ordinal),
            ],
        };
    }
}

/// <summary>What an entry changes on a day.</summary>
/// <param name="Archive">The hash of the first entry of the manifest.</param>
/// <param name="Entry">The entry's number.</param>
/// <param name="Adds">Objects that it adds, or alters.</param>
/// <param name="Takes">Keys of objects that it takes away.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.DayChange")]
public sealed record DayChange(
    [property: Id(0)] string Archive, [property: Id(1)] long Entry, [property: Id(2)] IReadOnlyList<DayObject> Adds, [property: Id(3)] IReadOnlyList<string> Takes);

/// <summary>An object of the table: the clicks of one hour.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Sha256">Of its bytes.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Rows">Clicks in it.</param>
/// <param name="From">Offset of its first click.</param>
/// <param name="To">Offset of its last click, plus 1.</param>
/// <param name="Hour">The hour.</param>
/// <param name="Entry">The entry that added it, or rewrote it last.</param>
/// <param name="Was">SHA-256 of its bytes before that entry rewrote it; null where it added it.</param>
/// <param name="Footer">By which parts of it can be read; null where an older build wrote it.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.DayObject")]
public sealed record DayObject(
    [property: Id(0)] string Key,
    [property: Id(1)] string Sha256,
    [property: Id(2)] long Bytes,
    [property: Id(3)] long Rows,
    [property: Id(4)] long From,
    [property: Id(5)] long To,
    [property: Id(6)] int Hour,
    [property: Id(7)] long Entry,
    [property: Id(8)] string? Was = null,
    [property: Id(9)] ObjectFooter? Footer = null);
