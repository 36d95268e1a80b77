namespace ClickAggregator.Clicks;

/// <summary>
/// One click as a view over bytes that somebody else owns (a request body, a log record): reading it allocates nothing.
/// Every span is UTF-8 and already validated; an empty span means absent.
/// </summary>
public ref struct Click
{
    /// <summary>What was clicked.</summary>
    public TargetKind Kind { get; set; }

    /// <summary>The target's id: 1-128 characters of <c>A-Z a-z 0-9 . _ ~ : -</c>.</summary>
    public ReadOnlySpan<byte> TargetId { get; set; }

    /// <summary>The id that makes the click count once. Empty only before one is assigned.</summary>
    public ReadOnlySpan<byte> ClickId { get; set; }

    /// <summary>Event time, milliseconds since the Unix epoch. <see cref="NoTimestamp"/> before one is assigned.</summary>
    public long Timestamp { get; set; }

    /// <summary>When the click was received, milliseconds since the Unix epoch.</summary>
    public long ReceivedAt { get; set; }

    public ReadOnlySpan<byte> CampaignId { get; set; }
    public ReadOnlySpan<byte> UserId { get; set; }

    /// <summary>Two upper-case letters, or empty.</summary>
    public ReadOnlySpan<byte> Country { get; set; }

    public ReadOnlySpan<byte> Device { get; set; }

    /// <summary>The host of the referrer, lower-case.</summary>
    public ReadOnlySpan<byte> Referrer { get; set; }

    /// <summary>The normalised URL where the target was given as <c>page_url</c>; else empty.</summary>
    public ReadOnlySpan<byte> PageUrl { get; set; }

    /// <summary><see cref="Timestamp"/> of a click that carried none.</summary>
    public const long NoTimestamp = long.MinValue;
}
