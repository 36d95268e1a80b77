namespace ClickAggregator.Clicks;

/// <summary>The fields that a click may have; others are ignored.</summary>
internal enum ClickField : byte
{
    // The targets stand first and in the order of TargetKind, so that their value is the kind's.
    None = 0,
    AdId = 1,
    VideoId = 2,
    PostId = 3,
    PageId = 4,
    AppId = 5,
    PageUrl = 6,
    ClickId = 7,
    Timestamp = 8,
    CampaignId = 9,
    UserId = 10,
    Country = 11,
    Device = 12,
    Referrer = 13,
}
