using System.ComponentModel;

namespace ClickAggregator.Api.Queries;

// What the answers look like, for the API's description alone: the answers themselves are written field by field,
// and a test compares the two.

/// <summary>Fields of every answer over a range.</summary>
internal abstract record RangeAnswer
{
    [Description("The range that was used: its start, floored to what is kept.")]
    public required DateTimeOffset From { get; init; }

    [Description("The range that was used: its end, exclusive.")]
    public required DateTimeOffset To { get; init; }

    [Description("The IANA zone of all times in the answer.")]
    public required string Timezone { get; init; }

    [Description("Everything that was appended before this moment is counted here. Null until a partition has been read.")]
    public required DateTimeOffset? CountedUntil { get; init; }

    [Description("How long ago counted_until was.")]
    public required decimal? LagSeconds { get; init; }

    [Description("Watched sources that were not read lately, so that clicks may be missing.")]
    public required int SourcesStale { get; init; }

    [Description("Every hour of the range before it is final: recounted from the archive. Null where the first one is not yet.")]
    public required DateTimeOffset? FinalUntil { get; init; }

    [Description("Version of the ledger: version=… repeats this answer over hours that are final. Null before the first hour was.")]
    public required long? Version { get; init; }

    [Description("True where a window of the range is set aside; else absent.")]
    public bool Incomplete { get; init; }
}

/// <summary>The clicks of one thing in a range.</summary>
internal record CountAnswer : RangeAnswer
{
    [Description("What was counted.")]
    public required CountedThing Of { get; init; }

    [Description("The filter that was used, by name.")]
    public required IReadOnlyDictionary<string, string> Filter { get; init; }

    [Description("minute, hour, day, or null.")]
    public required string? Granularity { get; init; }

    [Description("Clicks that were taken back are not in them; /v1/invalidations/{id}/difference says how many each invalidation took.")]
    public required long Clicks { get; init; }

    [Description("With granularity: zero-filled, in order.")]
    public IReadOnlyList<CountPoint>? Points { get; init; }

    [Description("With group_by: they add up to clicks; the largest 256, the rest as \"other\".")]
    public IReadOnlyList<CountGroup>? Groups { get; init; }

    [Description("Of a page that was sent with page_url.")]
    public string? PageUrl { get; init; }
}

/// <summary>What was counted. Without an id: all of that kind.</summary>
internal sealed record CountedThing(string Kind, string? Id = null);

/// <summary>A minute, an hour or a day.</summary>
internal sealed record CountPoint(DateTimeOffset Start, long Clicks, [property: Description("Whether it was reconciled and stays.")] bool Final);

/// <summary>The clicks with one value; null are those without a value.</summary>
internal sealed record CountGroup(string? Value, long Clicks);

/// <summary>Many answers at one moment.</summary>
internal sealed record ManyAnswer : RangeAnswer
{
    [Description("One for each id, in the order asked for.")]
    public required IReadOnlyList<CountAnswer> Items { get; init; }
}

/// <summary>A page of a list.</summary>
internal sealed record ListAnswer : RangeAnswer
{
    [Description("By id.")]
    public required IReadOnlyList<ListItem> Items { get; init; }

    [Description("Give it as cursor to get what follows; null at the end.")]
    public required string? NextCursor { get; init; }
}

/// <summary>One of a list.</summary>
internal sealed record ListItem(string Id, long Clicks)
{
    public string? PageUrl { get; init; }
}

/// <summary>The most clicked.</summary>
internal sealed record TopAnswer : RangeAnswer
{
    public required IReadOnlyList<TopItem> Items { get; init; }

    [Description("Whether these are proved to be the most clicked, each with all its clicks.")]
    public required bool Exact { get; init; }

    [Description("No other has more than the last item's clicks plus this; 0 when exact.")]
    public required long ErrorBound { get; init; }
}

/// <summary>One of a ranking.</summary>
internal sealed record TopItem(int Rank, string Id, long Clicks)
{
    public string? PageUrl { get; init; }
}

/// <summary>The classic form of one ad's count.</summary>
internal sealed record ClassicCountAnswer : RangeAnswer
{
    public required string AdId { get; init; }

    public required long Count { get; init; }
}

/// <summary>The classic form of the most clicked ads.</summary>
internal sealed record ClassicPopularAnswer : RangeAnswer
{
    [Description("The most clicked first.")]
    public required IReadOnlyList<string> AdIds { get; init; }

    public required bool Exact { get; init; }
}

/// <summary>How far everything is.</summary>
internal sealed record StatusAnswer(bool Demo, Guid LogId, long LogBytes, long LogBytesLimit)
{
    [Description("Why the log does not say which partitions it has; null while it does.")]
    public required string? Detail { get; init; }

    public required IReadOnlyList<StatusPartition> Partitions { get; init; }

    [Description("Clicks of the log that cannot be read, in all places, also those beyond the first 1,000.")]
    public required long DamagedRecords { get; init; }

    [Description("Places of the log that cannot be read, the first 1,000; what is adjacent is one place.")]
    public required IReadOnlyList<StatusDamage> Damage { get; init; }

    [Description("Watched files.")]
    public required IReadOnlyList<StatusSource> Sources { get; init; }

    [Description("How far each chain (a partition of a log) is archived. Null while the silos do not say.")]
    public required IReadOnlyList<StatusArchive>? Archive { get; init; }

    [Description("How far the numbers are recounted. Null while the silos do not say.")]
    public required StatusReconciliation? Reconciliation { get; init; }
}

/// <summary>A partition: offsets below next are counted, the log ends at end.</summary>
internal sealed record StatusPartition(
    int Partition,
    [property: Description("starting, recovering, counting or stopped.")] string State,
    long Next,
    long End,
    long Lag,
    DateTimeOffset? CountedUntil,
    [property: Description("Why it stopped, how far recovering is, or what holds the counting up.")] string? Detail,
    [property: Description("Offsets that the log had lost before they were counted: their clicks are in no count.")] IReadOnlyList<StatusRange> Lost);

/// <summary>A chain in the archive: records below upto are archived, the log ended at end when it was last looked at.</summary>
internal sealed record StatusArchive(
    int Chain,
    string Log,
    int Partition,
    long Upto,
    long End,
    long Lag,
    [property: Description("When the log took the last record that is archived.")] DateTimeOffset? ArchivedUntil,
    [property: Description("Entries of its manifest.")] long Entries,
    [property: Description("What holds it up.")] string? Detail,
    [property: Description("Offsets that the log had lost before they were archived.")] IReadOnlyList<StatusRange> Lost);

/// <summary>How far the numbers are recounted.</summary>
internal sealed record StatusReconciliation(
    [property: Description("Hours from this one on were in no scheduled run yet.")] DateTimeOffset? PlannedThrough,
    [property: Description("Hours of chains before it that hold clicks which no run has covered; at most 1,000 are counted.")] int UnreconciledHours,
    [property: Description("Of the ledger. Null before the first hour was final.")] long? Version,
    Ledger.RunAnswer? LastRun);

/// <summary>Offsets from and on, before to.</summary>
internal sealed record StatusRange(long From, long To);

/// <summary>Offsets that are lost.</summary>
internal sealed record StatusDamage(int Partition, long From, long To, [property: Description("How many clicks that are.")] long Records, string Reason);

/// <summary>A watched file, in bytes.</summary>
internal sealed record StatusSource(
    string Source, string State, long Position, long BytesBehind, double SecondsBehind, DateTimeOffset? LastSeen, long BadLines);
