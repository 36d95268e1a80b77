using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Archive;

/// <summary>
/// The small durable record of a chain's archive, written with compare-and-set: fence and cursor. What is archived is said by the
/// manifest; whatever is here can be read from it again.
/// </summary>
public sealed record ArchiveRecord
{
    private const int MaxLostRanges = 100;
    private const int MaxMergedHours = 1000;

    public required ArchiveChain Chain { get; init; }

    /// <summary>One more with each owner: the write that raises it fences the owner before.</summary>
    public long Epoch { get; init; }

    /// <summary>Entries of the manifest that are complete: their objects are all there.</summary>
    public long Entries { get; init; }

    /// <summary>SHA-256 of the bytes of the last of them; empty for none.</summary>
    public string LastHash { get; init; } = "";

    /// <summary>SHA-256 of the bytes of the first: which archive this is.</summary>
    public string FirstHash { get; init; } = "";

    /// <summary>Every record of the log below it is archived, or lost.</summary>
    public long Upto { get; init; }

    /// <summary>Log time of the last archived record, milliseconds since the epoch; 0 for none.</summary>
    public long Until { get; init; }

    /// <summary>From where ids have to be read back.</summary>
    public long DedupFrom { get; init; }

    /// <summary>The last archived record; null for none.</summary>
    public LogMark? Last { get; init; }

    /// <summary>The entry that was begun, as it is in the manifest or will be; null where none is.</summary>
    public string? Pending { get; init; }

    /// <summary>Objects whose clicks are not all in the table, by offset.</summary>
    public IReadOnlyList<InboxObject> Inbox { get; init; } = [];

    /// <summary>Objects that hold nothing any more that is not elsewhere: to be deleted.</summary>
    public IReadOnlyList<GoneObject> Gone { get; init; } = [];

    /// <summary>Hours whose clicks moved into the table of late, the latest 1,000.</summary>
    public IReadOnlyList<MergedHour> Merged { get; init; } = [];

    /// <summary>Ranges that the log had lost before they were archived, the latest 100.</summary>
    public IReadOnlyList<LostRange> Lost { get; init; } = [];

    /// <summary>The record once an entry is complete. A function of the two alone, so that a manifest gives its record again.</summary>
    internal ArchiveRecord After(ManifestEntry entry, string hash) => Apply(entry) with
    {
        Entries = entry.Number,
        LastHash = hash,
        FirstHash = entry.Number == 1 ? hash : FirstHash,
        Pending = null,
    };

    /// <summary>The record once an entry is replaced by the next: only its number is used up.</summary>
    internal ArchiveRecord Without(ManifestEntry entry, string hash) => this with
    {
        Entries = entry.Number,
        LastHash = hash,
        FirstHash = entry.Number == 1 ? hash : FirstHash,
        Pending = null,
    };

    private ArchiveRecord Apply(ManifestEntry entry) => entry.Cause switch
    {
        ArchiveCause.Write => this with
        {
            Upto = entry.To,
            Until = Math.Max(Until, entry.Until),
            DedupFrom = entry.DedupFrom,
            Last = entry.Last ?? Last,
            Inbox = [.. Inbox, .. entry.Adds.Select(one => new InboxObject(one.Key, one.Sha256, one.Bytes, one.Rows, one.From, one.To, entry.Number, one.Hours) { Footer = one.Footer })],
        },
        ArchiveCause.Lost => this with
        {
            Upto = entry.To,
            DedupFrom = entry.DedupFrom,
            Last = null,
            Lost = [.. Lost.TakeLast(MaxLostRanges - 1), new LostRange(entry.From, entry.To)],
        },
        ArchiveCause.Merge => Move(entry),
        ArchiveCause.Erase => Rewrite(entry),
        _ => this,
    };

    private ArchiveRecord Rewrite(ManifestEntry entry)
    {
        var now = entry.Adds.ToDictionary(one => one.Key, StringComparer.Ordinal);
        return this with
        {
            Inbox =
            [
                .. Inbox.Select(one => now.TryGetValue(one.Key, out ManifestObject? rewritten)
                    ? one with { Sha256 = rewritten.Sha256, Bytes = rewritten.Bytes, Footer = rewritten.Footer }
                    : one),
            ],
        };
    }

    private ArchiveRecord Move(ManifestEntry entry)
    {
        var takes = entry.Takes.ToDictionary(one => one.Key, StringComparer.Ordinal);
        InboxObject[] inbox =
        [
            .. Inbox.Select(one => takes.TryGetValue(one.Key, out TakenRows? taken) ? one with { Left = [.. one.Left.Where(hour => !taken.Hours.Contains(hour.Hour))] } : one)
                .Where(one => one.Left.Count > 0),
        ];
        var left = inbox.SelectMany(one => one.Left).Select(hour => hour.Hour).ToHashSet();
        var moved = entry.Adds.SelectMany(one => one.Hours).Select(hour => hour.Hour).Where(hour => !left.Contains(hour)).ToHashSet();
        return this with
        {
            Inbox = inbox,
            Gone = [.. Gone, .. entry.Takes.Where(one => one.Gone).Select(one => new GoneObject(one.Key, null))],
            Merged =
            [
                .. Merged.Where(hour => !moved.Contains(hour.Hour)).Concat(moved.Order().Select(hour => new MergedHour(hour, Until))).TakeLast(MaxMergedHours),
            ],
        };
    }
}

/// <summary>An object that holds clicks of several hours, and which of them are not in the table yet.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Sha256">Of its bytes.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Rows">Clicks in it.</param>
/// <param name="From">Offset of its first click.</param>
/// <param name="To">Offset of its last click, plus 1.</param>
/// <param name="Entry">The number of the entry that added it.</param>
/// <param name="Left">Hours that were not moved, with their clicks.</param>
public sealed record InboxObject(
    string Key, string Sha256, long Bytes, long Rows, long From, long To, long Entry, IReadOnlyList<HourRows> Left)
{
    /// <summary>By which parts of it can be read; null where an older build wrote it.</summary>
    public ObjectFooter? Footer { get; init; }
}

/// <summary>An object to be deleted, and since when it is known to be (milliseconds since the epoch); null for not yet.</summary>
public sealed record GoneObject(string Key, long? Since);

/// <summary>An hour whose clicks moved into the table, and the log time until which the chain was archived then.</summary>
public readonly record struct MergedHour(int Hour, long At);
