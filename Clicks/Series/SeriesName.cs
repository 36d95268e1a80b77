using System.Text;

namespace ClickAggregator.Clicks;

/// <summary>
/// The name of a series: <c>total</c>, <c>kind:ad</c>, <c>ad:42</c> or <c>campaign:7</c>, and then, where the rollup
/// has them, <c>|country:US</c> and <c>|device:mobile</c>, in this order. Clicks without one count under an empty
/// value (<c>|country:</c>). Ids hold neither <c>|</c> nor <c>@</c>, so every name reads back one way only.
/// </summary>
/// <param name="Base">What the series adds up by.</param>
/// <param name="Kind">The kind, of <see cref="RollupBase.Kind"/> and <see cref="RollupBase.Target"/>.</param>
/// <param name="Id">The id of the target or campaign; else empty.</param>
/// <param name="Country">Null where the series is not by country; empty for clicks without one.</param>
/// <param name="Device">Null where the series is not by device; empty for clicks without one.</param>
public readonly record struct SeriesName(
    RollupBase Base, TargetKind Kind, string Id, string? Country = null, string? Device = null)
{
    /// <summary>The longest name, in bytes and characters.</summary>
    public const int MaxLength = 9 + IdRules.MaxBytes + 11 + 8 + IdRules.MaxDeviceBytes;

    public static SeriesName Total { get; } = new(RollupBase.Total, TargetKind.None, "");

    public static SeriesName OfKind(TargetKind kind) => new(RollupBase.Kind, kind, "");

    public static SeriesName OfTarget(TargetKind kind, string id) => new(RollupBase.Target, kind, id);

    public static SeriesName OfCampaign(string id) => new(RollupBase.Campaign, TargetKind.None, id);

    /// <summary>The rollup that fills the series.</summary>
    public Rollup Rollup => new(Base, Country is not null, Device is not null);

    public SeriesName WithCountry(string? country) => this with { Country = country ?? "" };

    public SeriesName WithDevice(string? device) => this with { Device = device ?? "" };

    public override string ToString()
    {
        string name = Base switch
        {
            RollupBase.Total => "total",
            RollupBase.Kind => "kind:" + TargetKinds.Name(Kind),
            RollupBase.Target => TargetKinds.Name(Kind) + ":" + Id,
            _ => "campaign:" + Id,
        };
        return Country is null && Device is null
            ? name
            : name + (Country is null ? "" : "|country:" + Country) + (Device is null ? "" : "|device:" + Device);
    }

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SeriesName series)
    {
        series = default;
        int bar = text.IndexOf('|');
        ReadOnlySpan<char> head = bar < 0 ? text : text[..bar];
        if (!TryParseHead(head, out SeriesName parsed))
        {
            return false;
        }

        ReadOnlySpan<char> rest = bar < 0 ? default : text[bar..];
        if (rest.StartsWith("|country:"))
        {
            ReadOnlySpan<char> value = UpToBar(rest["|country:".Length..]);
            if (value.Length > 0 && !IdRules.IsCountry(value))
            {
                return false;
            }

            parsed = parsed.WithCountry(value.ToString());
            rest = rest[("|country:".Length + value.Length)..];
        }

        if (rest.StartsWith("|device:"))
        {
            ReadOnlySpan<char> value = rest["|device:".Length..];
            if (value.Length > 0 && !IdRules.IsDevice(value))
            {
                return false;
            }

            parsed = parsed.WithDevice(value.ToString());
            rest = default;
        }

        if (rest.Length > 0)
        {
            return false;
        }

        series = parsed;
        return true;
    }

    /// <summary>
    /// Writes the name of the series that <paramref name="rollup"/> maps the click to, without allocating.
    /// </summary>
    /// <param name="rollup">The rule.</param>
    /// <param name="click">The click.</param>
    /// <param name="destination">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The length; 0 where the click has no such series (it has no campaign).</returns>
    public static int Write(Rollup rollup, in Click click, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(rollup);
        int length = 0;
        switch (rollup.Base)
        {
            case RollupBase.Total:
                Append(destination, ref length, "total"u8);
                break;
            case RollupBase.Kind:
                Append(destination, ref length, "kind:"u8);
                Append(destination, ref length, TargetKinds.Prefix(click.Kind)[..^1]);
                break;
            case RollupBase.Target:
                Append(destination, ref length, TargetKinds.Prefix(click.Kind));
                Append(destination, ref length, click.TargetId);
                break;
            default:
                if (click.CampaignId.IsEmpty)
                {
                    return 0;
                }

                Append(destination, ref length, "campaign:"u8);
                Append(destination, ref length, click.CampaignId);
                break;
        }

        if (rollup.ByCountry)
        {
            Append(destination, ref length, "|country:"u8);
            Append(destination, ref length, click.Country);
        }

        if (rollup.ByDevice)
        {
            Append(destination, ref length, "|device:"u8);
            Append(destination, ref length, click.Device);
        }

        return length;
    }

    /// <summary>The name of the series that <paramref name="rollup"/> maps the click to; null where it has none.</summary>
    public static string? Of(Rollup rollup, in Click click)
    {
        Span<byte> name = stackalloc byte[MaxLength];
        int length = Write(rollup, in click, name);
        return length == 0 ? null : Encoding.UTF8.GetString(name[..length]);
    }

    private static void Append(Span<byte> destination, ref int length, scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(destination[length..]);
        length += bytes.Length;
    }

    private static ReadOnlySpan<char> UpToBar(ReadOnlySpan<char> text) =>
        text.IndexOf('|') is int bar and >= 0 ? text[..bar] : text;

    private static bool TryParseHead(ReadOnlySpan<char> head, out SeriesName series)
    {
        series = Total;
        if (head is "total")
        {
            return true;
        }

        int colon = head.IndexOf(':');
        if (colon < 0)
        {
            return false;
        }

        ReadOnlySpan<char> name = head[..colon];
        ReadOnlySpan<char> value = head[(colon + 1)..];
        if (name is "kind")
        {
            bool known = TargetKinds.TryParseName(value, out TargetKind kind);
            series = OfKind(kind);
            return known;
        }

        if (!IdRules.IsId(value))
        {
            return false;
        }

        if (name is "campaign")
        {
            series = OfCampaign(value.ToString());
            return true;
        }

        bool target = TargetKinds.TryParseName(name, out TargetKind of);
        series = OfTarget(of, value.ToString());
        return target;
    }
}
