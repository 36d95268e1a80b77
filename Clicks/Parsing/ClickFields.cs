using System.Runtime.CompilerServices;

namespace ClickAggregator.Clicks;

/// <summary>The names of <see cref="ClickField"/>.</summary>
internal static class ClickFields
{
    public const int Count = 14;

    /// <summary>The longest name, in bytes.</summary>
    public const int MaxNameBytes = 11;

    private static readonly string[] s_names =
    [
        "", "ad_id", "video_id", "post_id", "page_id", "app_id", "page_url", "click_id", "timestamp", "campaign_id",
        "user_id", "country", "device", "referrer",
    ];

    public static string Name(ClickField field) => s_names[(int)field];

    /// <summary>The field of that name, or <see cref="ClickField.None"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ClickField Find(ReadOnlySpan<byte> name)
    {
        switch (name.Length)
        {
            case 5 when name.SequenceEqual("ad_id"u8):
                return ClickField.AdId;
            case 6 when name.SequenceEqual("device"u8):
                return ClickField.Device;
            case 6 when name.SequenceEqual("app_id"u8):
                return ClickField.AppId;
            case 7 when name.SequenceEqual("country"u8):
                return ClickField.Country;
            case 7 when name.SequenceEqual("user_id"u8):
                return ClickField.UserId;
            case 7 when name.SequenceEqual("post_id"u8):
                return ClickField.PostId;
            case 7 when name.SequenceEqual("page_id"u8):
                return ClickField.PageId;
            case 8 when name.SequenceEqual("click_id"u8):
                return ClickField.ClickId;
            case 8 when name.SequenceEqual("referrer"u8):
                return ClickField.Referrer;
            case 8 when name.SequenceEqual("video_id"u8):
                return ClickField.VideoId;
            case 8 when name.SequenceEqual("page_url"u8):
                return ClickField.PageUrl;
            case 9 when name.SequenceEqual("timestamp"u8):
                return ClickField.Timestamp;
            case 11 when name.SequenceEqual("campaign_id"u8):
                return ClickField.CampaignId;
            default:
                return ClickField.None;
        }
    }
}
