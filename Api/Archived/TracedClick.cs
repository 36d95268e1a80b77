using ClickAggregator.Api.Verify;

namespace ClickAggregator.Api.Archived;

/// <summary>One place of a click: a record of the log, archived or not yet.</summary>
/// <param name="Log">The log.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Chain">The chain's number.</param>
/// <param name="Offset">Where it stands.</param>
/// <param name="LogTime">When the log took it, milliseconds since the epoch.</param>
/// <param name="Click">What it says; null where it cannot be read as a click.</param>
/// <param name="Filter">What invalidations look at beside it.</param>
internal sealed record TracedClick(string Log, int Partition, int Chain, long Offset, long LogTime, RecountedClick? Click, TracedFields Filter)
{
    /// <summary>The archived object; null while it waits in the log.</summary>
    public string? Object { get; init; }

    /// <summary>Its row there, from 0.</summary>
    public long Row { get; init; }

    /// <summary>What the archive says of it; in the log, by the rule of duplicates.</summary>
    public bool IsDuplicate { get; set; }
}

/// <summary>Fields of a click that do not count.</summary>
/// <param name="User">The user.</param>
/// <param name="Referrer">The referrer's host.</param>
/// <param name="Marks">Where the two were erased, the invalidations that had fitted them (<see cref="Grains.InvalidationSpan.Mark"/>).</param>
internal sealed record TracedFields(string? User, string? Referrer, IReadOnlyList<string>? Marks = null);
