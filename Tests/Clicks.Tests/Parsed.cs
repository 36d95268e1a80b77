using System.Text;

namespace ClickAggregator.Clicks.Tests;

/// <summary>A click or an error as plain values, so that tests can compare and keep them.</summary>
public sealed record Parsed(
    TargetKind Kind, string Target, string ClickId, long Timestamp, string Campaign, string User,
    string Country, string Device, string Referrer, string PageUrl)
{
    /// <summary>2026-11-22T19:21:55.123Z.</summary>
    public const long Now = 1_795_375_315_123;

    public static Parsed Of(in Click click) => new(
        click.Kind, Text(click.TargetId), Text(click.ClickId), click.Timestamp, Text(click.CampaignId),
        Text(click.UserId), Text(click.Country), Text(click.Device), Text(click.Referrer), Text(click.PageUrl));

    /// <summary>The click that the line holds; fails the test where there is none.</summary>
    public static Parsed Click(string json)
    {
        bool ok = ClickParser.TryParse(
            Encoding.UTF8.GetBytes(json), new byte[ClickParser.ScratchBytes], Now, out Click click, out ClickError error);
        Assert.True(ok, $"{error}: {json}");
        return Of(click);
    }

    /// <summary>Why the line is refused; fails the test where it is not.</summary>
    public static ClickError Error(string json) => Error(Encoding.UTF8.GetBytes(json));

    public static ClickError Error(ReadOnlySpan<byte> json)
    {
        bool ok = ClickParser.TryParse(json, new byte[ClickParser.ScratchBytes], Now, out _, out ClickError error);
        Assert.False(ok, $"accepted: {Encoding.UTF8.GetString(json)}");
        return error;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
