using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ClickAggregator.Clicks;

/// <summary>
/// The compact form of a click in logs. Layout and rules: Clicks/README.md. The first byte is <see cref="Version"/>,
/// never <c>{</c> or white space, so that a reader can tell it from JSON.
/// </summary>
public static class ClickRecord
{
    /// <summary>The first byte.</summary>
    public const byte Version = 1;

    /// <summary>
    /// The version of the decisions that reading takes: what is a click, which bytes are its ids. Part of the counting
    /// rules, so that a pending batch is replayed by the same decisions. Raise it when any of them changes.
    /// </summary>
    public const int ParserVersion = 1;

    /// <summary>The longest host of a referrer.</summary>
    public const int MaxReferrerBytes = 253;

    /// <summary>The longest normalised page URL.</summary>
    public const int MaxPageUrlBytes = 2048;

    /// <summary>The longest record.</summary>
    public const int MaxBytes =
        HeaderBytes + (4 * IdRules.MaxBytes) + IdRules.MaxDeviceBytes + MaxReferrerBytes + MaxPageUrlBytes;

    internal const int HeaderBytes = 28;

    /// <summary>Writes the click and gives the record's length.</summary>
    /// <param name="click">A click with a target; the click id and the timestamp may be absent.</param>
    /// <param name="destination"><see cref="MaxBytes"/> is always enough.</param>
    /// <exception cref="ArgumentException">A field is longer than allowed, there is no target, or no room.</exception>
    public static int Write(in Click click, Span<byte> destination)
    {
        ReadOnlySpan<byte> target = click.TargetId;
        ReadOnlySpan<byte> id = click.ClickId;
        ReadOnlySpan<byte> campaign = click.CampaignId;
        ReadOnlySpan<byte> user = click.UserId;
        ReadOnlySpan<byte> device = click.Device;
        ReadOnlySpan<byte> referrer = click.Referrer;
        ReadOnlySpan<byte> country = click.Country;
        ReadOnlySpan<byte> url = click.PageUrl;
        int length = HeaderBytes + target.Length + id.Length + campaign.Length + user.Length + device.Length
            + referrer.Length + url.Length;
        if (!TargetKinds.IsKind(click.Kind)
            || (uint)(target.Length - 1) >= IdRules.MaxBytes
            || id.Length > IdRules.MaxBytes
            || campaign.Length > IdRules.MaxBytes
            || user.Length > IdRules.MaxBytes
            || device.Length > IdRules.MaxDeviceBytes
            || referrer.Length > MaxReferrerBytes
            || url.Length > MaxPageUrlBytes
            || country.Length is not (0 or 2)
            || destination.Length < length)
        {
            ThrowUnwritable(destination.Length < length);
        }

        destination[HeaderBytes - 1] = 0;
        ref byte start = ref MemoryMarshal.GetReference(destination);
        start = Version;
        Unsafe.Add(ref start, 1) = (byte)click.Kind;
        Unsafe.Add(ref start, 2) = (byte)target.Length;
        Unsafe.Add(ref start, 3) = (byte)id.Length;
        Unsafe.Add(ref start, 4) = (byte)campaign.Length;
        Unsafe.Add(ref start, 5) = (byte)user.Length;
        Unsafe.Add(ref start, 6) = (byte)device.Length;
        Unsafe.Add(ref start, 7) = (byte)referrer.Length;
        Unsafe.Add(ref start, 8) = country.Length == 2 ? country[0] : (byte)0;
        Unsafe.Add(ref start, 9) = country.Length == 2 ? country[1] : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], (ushort)url.Length);
        BinaryPrimitives.WriteInt64LittleEndian(destination[12..], click.Timestamp);
        BinaryPrimitives.WriteInt64LittleEndian(destination[20..], click.ReceivedAt);

        Span<byte> rest = destination[HeaderBytes..];
        target.CopyTo(rest);
        rest = rest[target.Length..];
        id.CopyTo(rest);
        rest = rest[id.Length..];
        campaign.CopyTo(rest);
        rest = rest[campaign.Length..];
        user.CopyTo(rest);
        rest = rest[user.Length..];
        device.CopyTo(rest);
        rest = rest[device.Length..];
        referrer.CopyTo(rest);
        url.CopyTo(rest[referrer.Length..]);
        return length;
    }

    /// <summary>
    /// Reads a record. Any bytes may be given: what is not exactly one valid record is refused, nothing throws, and
    /// ids hold only id characters, so that a foreign record cannot forge a series.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> record, out Click click)
    {
        click = default;
        if (record.Length < HeaderBytes)
        {
            return false;
        }

        ref byte start = ref MemoryMarshal.GetReference(record);
        if (start != Version)
        {
            return false;
        }

        byte kind = Unsafe.Add(ref start, 1);
        int target = Unsafe.Add(ref start, 2);
        int id = Unsafe.Add(ref start, 3);
        int campaign = Unsafe.Add(ref start, 4);
        int user = Unsafe.Add(ref start, 5);
        int device = Unsafe.Add(ref start, 6);
        int referrer = Unsafe.Add(ref start, 7);
        int url = BinaryPrimitives.ReadUInt16LittleEndian(record[10..]);
        int ids = target + id + campaign + user + device;
        if (HeaderBytes + ids + referrer + url != record.Length
            || (uint)(kind - 1) >= (uint)TargetKind.App
            || (uint)(target - 1) >= IdRules.MaxBytes
            || (id | campaign | user) > IdRules.MaxBytes && (id > IdRules.MaxBytes || campaign > IdRules.MaxBytes || user > IdRules.MaxBytes)
            || device > IdRules.MaxDeviceBytes
            || referrer > MaxReferrerBytes
            || url > MaxPageUrlBytes)
        {
            return false;
        }

        // The ids stand side by side, so one vectorised scan checks them all.
        if (record.Slice(HeaderBytes, ids).ContainsAnyExcept(IdRules.Bytes))
        {
            return false;
        }

        byte first = Unsafe.Add(ref start, 8);
        byte second = Unsafe.Add(ref start, 9);
        bool hasCountry = (first | second) != 0;
        if (hasCountry && ((uint)(first - 'A') > 'Z' - 'A' || (uint)(second - 'A') > 'Z' - 'A'))
        {
            return false;
        }

        click.Kind = (TargetKind)kind;
        click.Timestamp = BinaryPrimitives.ReadInt64LittleEndian(record[12..]);
        click.ReceivedAt = BinaryPrimitives.ReadInt64LittleEndian(record[20..]);
        if (hasCountry)
        {
            click.Country = record.Slice(8, 2);
        }

        int at = HeaderBytes;
        click.TargetId = record.Slice(at, target);
        click.ClickId = record.Slice(at += target, id);
        click.CampaignId = record.Slice(at += id, campaign);
        click.UserId = record.Slice(at += campaign, user);
        click.Device = record.Slice(at += user, device);
        click.Referrer = record.Slice(at += device, referrer);
        click.PageUrl = record.Slice(at + referrer, url);
        return true;
    }

    private static void ThrowUnwritable(bool noRoom) => throw new ArgumentException(
        noRoom ? "the record does not fit the destination" : "the click was not validated: it has no target or a field is too long");
}
