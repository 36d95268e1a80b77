using ClickAggregator.Clicks;

namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Archived clicks, column by column, in the order of their offsets: what an archived file is written from and read into. Reused;
/// not safe for concurrent use.
/// </summary>
public sealed class ClickRows
{
    /// <summary>How many clicks it holds.</summary>
    public int Count => Offsets.Count;

    /// <summary>Offset in the chain's log.</summary>
    public List<long> Offsets { get; } = [];

    /// <summary>When the log took the record, milliseconds since the epoch.</summary>
    public List<long> BrokerTimes { get; } = [];

    /// <summary>The click repeats an earlier one of its chain and did not count.</summary>
    public List<bool> Duplicates { get; } = [];

    /// <summary>Event time, milliseconds since the epoch.</summary>
    public List<long> Timestamps { get; } = [];

    /// <summary>When it was received, milliseconds since the epoch; 0 where unknown.</summary>
    public List<long> ReceivedAt { get; } = [];

    public List<TargetKind> Kinds { get; } = [];

    public Utf8Column TargetIds { get; } = new();

    /// <summary>As the log has it: absent where the producer gave none, and then the click is like no other.</summary>
    public Utf8Column ClickIds { get; } = new();

    public Utf8Column CampaignIds { get; } = new();

    public Utf8Column UserIds { get; } = new();

    /// <summary>Two upper-case letters.</summary>
    public Utf8Column Countries { get; } = new();

    public Utf8Column Devices { get; } = new();

    /// <summary>The host of the referrer.</summary>
    public Utf8Column Referrers { get; } = new();

    /// <summary>The normalised URL, where the target was given as one.</summary>
    public Utf8Column PageUrls { get; } = new();

    /// <summary>
    /// Of a click that lost its personal fields, the invalidations that had fitted it (<see cref="InvalidationSpan.Mark"/>, with commas
    /// between); absent for none.
    /// </summary>
    public Utf8Column InvalidatedBy { get; } = new();

    /// <summary>Whether one of them has <see cref="InvalidatedBy"/>.</summary>
    public bool AreMarked => !InvalidatedBy.Bytes.IsEmpty;

    /// <summary>Adds a click of other rows, with all that is said of it.</summary>
    public void Add(ClickRows from, int row)
    {
        ArgumentNullException.ThrowIfNull(from);
        Add(from[row], from.Offsets[row], from.BrokerTimes[row], from.Duplicates[row], from.InvalidatedBy[row]);
    }

    public void Add(in Click click, long offset, long brokerTime, bool duplicate, ReadOnlySpan<byte> invalidatedBy = default)
    {
        Offsets.Add(offset);
        BrokerTimes.Add(brokerTime);
        Duplicates.Add(duplicate);
        Timestamps.Add(click.Timestamp);
        ReceivedAt.Add(click.ReceivedAt);
        Kinds.Add(click.Kind);
        TargetIds.Add(click.TargetId);
        ClickIds.Add(click.ClickId);
        CampaignIds.Add(click.CampaignId);
        UserIds.Add(click.UserId);
        Countries.Add(click.Country);
        Devices.Add(click.Device);
        Referrers.Add(click.Referrer);
        PageUrls.Add(click.PageUrl);
        InvalidatedBy.Add(invalidatedBy);
    }

    /// <summary>A click as a view over the columns: it is good until they change.</summary>
    public Click this[int row] => new()
    {
        Kind = Kinds[row],
        TargetId = TargetIds[row],
        ClickId = ClickIds[row],
        Timestamp = Timestamps[row],
        ReceivedAt = ReceivedAt[row],
        CampaignId = CampaignIds[row],
        UserId = UserIds[row],
        Country = Countries[row],
        Device = Devices[row],
        Referrer = Referrers[row],
        PageUrl = PageUrls[row],
    };

    /// <summary>Forgets all clicks and keeps the memory.</summary>
    public void Clear()
    {
        Offsets.Clear();
        BrokerTimes.Clear();
        Duplicates.Clear();
        Timestamps.Clear();
        ReceivedAt.Clear();
        Kinds.Clear();
        TargetIds.Clear();
        ClickIds.Clear();
        CampaignIds.Clear();
        UserIds.Clear();
        Countries.Clear();
        Devices.Clear();
        Referrers.Clear();
        PageUrls.Clear();
        InvalidatedBy.Clear();
    }
}
