using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Archive;

/// <summary>Why an entry of a manifest was made.</summary>
public enum ArchiveCause
{
    /// <summary>Clicks of the log were archived.</summary>
    Write,

    /// <summary>Clicks moved from the inbox into the table.</summary>
    Merge,

    /// <summary>Personal fields were cleared.</summary>
    Erase,

    /// <summary>The log lost records before they were archived.</summary>
    Lost,
}

/// <summary>
/// One entry of a chain's manifest: what objects it adds and takes away, and the hash of the entry before it, so that none can be
/// removed or altered unnoticed.
/// </summary>
public sealed record ManifestEntry
{
    /// <summary>From 1 on, without a gap.</summary>
    public required long Number { get; init; }

    public required ArchiveCause Cause { get; init; }

    public required ArchiveChain Chain { get; init; }

    /// <summary>The range of offsets that it is about.</summary>
    public required long From { get; init; }

    /// <summary>See <see cref="From"/>.</summary>
    public required long To { get; init; }

    /// <summary>SHA-256 of the bytes of the entry before it; empty for the first.</summary>
    public required string Previous { get; init; }

    /// <summary>The entry before it, where its objects could not be made as it says: that one counts for nothing then.</summary>
    public long? Replaces { get; init; }

    /// <summary>By which rule repeats were marked; null where nothing was read from the log.</summary>
    public DuplicateRule? Duplicates { get; init; }

    /// <summary>Log time of the last record of the range, milliseconds since the epoch; 0 where there is none.</summary>
    public long Until { get; init; }

    /// <summary>From where ids have to be read back for what follows the range.</summary>
    public long DedupFrom { get; init; }

    /// <summary>The last record of the range; null where there is none.</summary>
    public LogMark? Last { get; init; }

    /// <summary>Of an erasure, its number; null for anything else.</summary>
    public long? Erasure { get; init; }

    /// <summary>Of an erasure, when it was asked for, milliseconds since the epoch; 0 for anything else.</summary>
    public long ErasureAt { get; init; }

    /// <summary>Of an erasure, how many clicks lost their personal fields; 0 for anything else.</summary>
    public long Erased { get; init; }

    public IReadOnlyList<ManifestObject> Adds { get; init; } = [];

    public IReadOnlyList<TakenRows> Takes { get; init; } = [];
}

/// <summary>An object that an entry adds, or rewrites.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Sha256">Of its bytes, lower-case hexadecimal.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="From">Offset of its first click.</param>
/// <param name="To">Offset of its last click, plus 1.</param>
/// <param name="Hours">How many clicks of which hours it holds, by hour.</param>
public sealed record ManifestObject(string Key, string Sha256, long Bytes, long From, long To, IReadOnlyList<HourRows> Hours)
{
    /// <summary>SHA-256 of the bytes that it takes the place of, under the same key; null where it is new.</summary>
    public string? Was { get; init; }

    /// <summary>By which parts of it can be read; null where an older build wrote it.</summary>
    public ObjectFooter? Footer { get; init; }

    /// <summary>How many clicks it holds.</summary>
    public long Rows => Hours.Sum(hour => hour.Rows);

    /// <summary>An object with some bytes.</summary>
    internal static ManifestObject Of(IClickFiles files, string key, byte[] content, long from, long to, IReadOnlyList<HourRows> hours) =>
        new ManifestObject(key, "", 0, from, to, hours).With(files, content);

    /// <summary>The same object with other bytes.</summary>
    internal ManifestObject With(IClickFiles files, byte[] content) =>
        this with { Sha256 = ManifestFormat.Hash(content), Bytes = content.Length, Footer = files.FooterOf(content) };
}

/// <summary>Clicks of one hour, which is in hours since the epoch.</summary>
public readonly record struct HourRows(int Hour, long Rows);

/// <summary>Clicks that moved out of an object.</summary>
/// <param name="Key">The object.</param>
/// <param name="Hours">The hours whose clicks moved.</param>
/// <param name="Gone">It holds no other clicks, and is deleted.</param>
public sealed record TakenRows(string Key, IReadOnlyList<int> Hours, bool Gone);
