namespace ClickAggregator.Bench.Clicks;

/// <summary>The clicks that are measured: of about 150 bytes, the shape of real ones.</summary>
internal static class SampleClicks
{
    public const long Now = 1_795_375_315_123;

    /// <summary>A real click of 1.USA.gov, 152 bytes.</summary>
    public static byte[] EpochTimestamp { get; } =
        """{"click_id":"20130101-1356999061-1","ad_id":"aAeggG","timestamp":1356999059000,"campaign_id":"bit.ly","country":"US","device":"bot","referrer":"direct"}"""u8.ToArray();

    /// <summary>The same fields with an ISO timestamp and a URL as referrer.</summary>
    public static byte[] IsoTimestamp { get; } =
        """{"click_id":"01JD8XH5","ad_id":"a-42","timestamp":"2026-11-22T19:21:55.123Z","campaign_id":"c-7","country":"US","device":"mobile","referrer":"https://t.co/"}"""u8.ToArray();

    /// <summary>Escapes, unknown fields, non-ASCII text: the slow paths.</summary>
    public static byte[] Awkward { get; } =
        """{ "click\u005fid": "01JD", "page_url": "https:\/\/Example.com\/a?b", "title": "Grüße", "tags": [1, {"a": null}], "country": "us" }"""u8.ToArray();
}
