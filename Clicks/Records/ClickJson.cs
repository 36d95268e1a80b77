using System.Buffers;
using System.Buffers.Text;

namespace ClickAggregator.Clicks;

/// <summary>Writes a click as the JSON object that clients send; <see cref="ClickParser"/> reads it back as the same click.</summary>
public static class ClickJson
{
    /// <summary>The longest object: every field at its limit, each byte of a page URL escaped.</summary>
    public const int MaxBytes = 256 + (4 * IdRules.MaxBytes) + IdRules.MaxDeviceBytes + ClickRecord.MaxReferrerBytes
        + (2 * ClickRecord.MaxPageUrlBytes);

    /// <summary>Writes one object without a line feed: absent fields are left out, the timestamp is ISO 8601 in UTC.</summary>
    public static void Write(in Click click, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Span<byte> json = output.GetSpan(MaxBytes);
        int at = 0;
        json[at++] = (byte)'{';
        if (!click.ClickId.IsEmpty)
        {
            Field(json, ref at, "click_id"u8, click.ClickId);
        }

        if (!click.PageUrl.IsEmpty)
        {
            // The id is a function of the URL, and both together would be ambiguous.
            Name(json, ref at, "page_url"u8);
            Escaped(json, ref at, click.PageUrl);
        }
        else
        {
            Field(json, ref at, TargetField(click.Kind), click.TargetId);
        }

        if (click.Timestamp != Click.NoTimestamp)
        {
            Name(json, ref at, "timestamp"u8);
            Timestamp(json, ref at, click.Timestamp);
        }

        Optional(json, ref at, "campaign_id"u8, click.CampaignId);
        Optional(json, ref at, "user_id"u8, click.UserId);
        Optional(json, ref at, "country"u8, click.Country);
        Optional(json, ref at, "device"u8, click.Device);
        Optional(json, ref at, "referrer"u8, click.Referrer);
        json[at++] = (byte)'}';
        output.Advance(at);
    }

    private static ReadOnlySpan<byte> TargetField(TargetKind kind) => kind switch
    {
        TargetKind.Ad => "ad_id"u8,
        TargetKind.Video => "video_id"u8,
        TargetKind.Post => "post_id"u8,
        TargetKind.Page => "page_id"u8,
        TargetKind.App => "app_id"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "a click needs a target"),
    };

    private static void Optional(Span<byte> json, ref int at, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            Field(json, ref at, name, value);
        }
    }

    private static void Field(Span<byte> json, ref int at, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Name(json, ref at, name);
        json[at++] = (byte)'"';
        value.CopyTo(json[at..]);
        at += value.Length;
        json[at++] = (byte)'"';
    }

    private static void Name(Span<byte> json, ref int at, ReadOnlySpan<byte> name)
    {
        if (at > 1)
        {
            json[at++] = (byte)',';
        }

        json[at++] = (byte)'"';
        name.CopyTo(json[at..]);
        at += name.Length;
        json[at++] = (byte)'"';
        json[at++] = (byte)':';
    }

    // A normalised URL has no control characters, so only these two need an escape.
    private static void Escaped(Span<byte> json, ref int at, ReadOnlySpan<byte> text)
    {
        json[at++] = (byte)'"';
        foreach (byte b in text)
        {
            if (b is (byte)'"' or (byte)'\\')
            {
                json[at++] = (byte)'\\';
            }

            json[at++] = b;
        }

        json[at++] = (byte)'"';
    }

    private static void Timestamp(Span<byte> json, ref int at, long timestamp)
    {
        // Records of other producers may carry any number; what no calendar holds is shown as it is.
        if (timestamp < DateTimeOffset.MinValue.ToUnixTimeMilliseconds()
            || timestamp > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
        {
            _ = Utf8Formatter.TryFormat(timestamp, json[at..], out int digits);
            at += digits;
            return;
        }

        json[at++] = (byte)'"';
        _ = DateTimeOffset.FromUnixTimeMilliseconds(timestamp).UtcDateTime.TryFormat(
            json[at..], out int written, "yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture);
        at += written;
        json[at++] = (byte)'"';
    }
}
