using System.Text;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Verify;

/// <summary>A click as the recount knows it, in plain words.</summary>
/// <param name="Kind">For example <c>ad</c>.</param>
/// <param name="Target">The target's id.</param>
/// <param name="Id">The click's id; empty where it has none, and then it repeats no other.</param>
/// <param name="Campaign">Empty for none.</param>
/// <param name="Country">Empty for none.</param>
/// <param name="Device">Empty for none.</param>
/// <param name="Time">When it happened; where it does not say, its time in the log. Milliseconds since the epoch.</param>
internal sealed record RecountedClick(string Kind, string Target, string Id, string Campaign, string Country, string Device, long Time)
{
    // 2000-01-01 to the end of 9999.
    private const long Oldest = 946_684_800_000;
    private const long Newest = 253_402_300_799_999;

    /// <summary>Hours since the epoch.</summary>
    public int Hour => (int)Math.Floor(Time / 3_600_000d);

    /// <summary>Reads a record of a log: the compact form, or JSON. Null where it holds no click.</summary>
    public static RecountedClick? Read(byte[] value, long logTime)
    {
        RecountedClick? click = value.Length == 0 ? null
            : value[0] == ClickRecord.Version ? ReadCompact(value, logTime)
            : RecountedJson.Read(value, logTime);
        return click?.Time is >= Oldest and <= Newest ? click : null;
    }

    /// <summary>A click that was kept in columns or in the compact form.</summary>
    public static RecountedClick Of(in Click click, long logTime) => new(
        click.Kind.ToString().ToLowerInvariant(), Text(click.TargetId), Text(click.ClickId), Text(click.CampaignId),
        Text(click.Country), Text(click.Device), click.Timestamp == Click.NoTimestamp ? logTime : click.Timestamp);

    private static RecountedClick? ReadCompact(byte[] value, long logTime) => ClickRecord.TryRead(value, out Click click) ? Of(click, logTime) : null;

    private static string Text(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);
}
