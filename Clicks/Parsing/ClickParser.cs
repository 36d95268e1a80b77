using System.Runtime.CompilerServices;
using System.Text;

namespace ClickAggregator.Clicks;

/// <summary>
/// Reads one click from its JSON. The whole line is scanned first, so that what is not JSON is always
/// <c>malformed_json</c>, whatever else is wrong with it; then the fields are checked. Rules: Clicks/README.md.
/// </summary>
public static partial class ClickParser
{
    /// <summary>The longest line, in bytes.</summary>
    public const int MaxLineBytes = 16 * 1024;

    /// <summary>How deep objects and arrays may nest, the click itself included.</summary>
    public const int MaxDepth = 16;

    /// <summary>The longest referrer as sent, in bytes.</summary>
    public const int MaxReferrerUrlBytes = 2048;

    /// <summary>How much scratch one click may need: every field unescaped, and the page URL and hosts rewritten.</summary>
    public const int ScratchBytes =
        (4 * IdRules.MaxBytes) + IdRules.MaxDeviceBytes + MaxTimestampBytes + 4 + MaxReferrerUrlBytes
        + ClickRecord.MaxReferrerBytes + PageUrls.MaxUnescaped + ClickRecord.MaxReferrerBytes
        + ClickRecord.MaxPageUrlBytes + PageUrls.IdBytes;

    // Longer fractions than anybody's clock has.
    private const int MaxTimestampBytes = 64;

    /// <summary>Reads a click. Never throws for any bytes, allocates nothing, changes nothing but <paramref name="scratch"/>.</summary>
    /// <param name="json">One JSON object, white space around it allowed.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>. The click may look into it, as into <paramref name="json"/>.</param>
    /// <param name="now">The time of receipt, in milliseconds since the Unix epoch.</param>
    /// <param name="click">The click; its id is empty and its timestamp <see cref="Click.NoTimestamp"/> where it gave none.</param>
    /// <param name="error">Why there is none.</param>
    /// <exception cref="ArgumentException">The scratch is too short.</exception>
    [SkipLocalsInit]
    public static bool TryParse(
        ReadOnlySpan<byte> json, Span<byte> scratch, long now, out Click click, out ClickError error)
    {
        if (scratch.Length < ScratchBytes)
        {
            ThrowShortScratch();
        }

        click = default;
        if (json.Length > MaxLineBytes)
        {
            error = new ClickError(ClickErrorCode.LineTooLong);
            return false;
        }

        if (!Ascii.IsValid(json) && !System.Text.Unicode.Utf8.IsValid(json))
        {
            error = new ClickError(ClickErrorCode.MalformedJson);
            return false;
        }

        RawValues fields = default;
        return TryScan(json, ref fields, out error) && TryRead(json, ref fields, scratch, now, ref click, out error);
    }

    private static bool TryScan(ReadOnlySpan<byte> json, scoped ref RawValues fields, out ClickError error)
    {
        var scanner = new JsonScanner(json);
        if (scanner.SkipWhiteSpace() != (byte)'{')
        {
            bool isJson = scanner.TryValue(0, out _) && scanner.AtEnd();
            error = isJson ? new ClickError(ClickErrorCode.NotAnObject) : Fault(in scanner);
            return false;
        }

        ClickField repeated = ClickField.None;
        scanner.Advance();
        byte next = scanner.SkipWhiteSpace();
        while (next != (byte)'}')
        {
            if (next != (byte)'"' || !scanner.TryString(out RawValue name) || scanner.SkipWhiteSpace() != (byte)':')
            {
                error = Fault(in scanner);
                return false;
            }

            scanner.Advance();
            next = scanner.SkipWhiteSpace();
            RawValue value;
            if (!(next == (byte)'"' ? scanner.TryString(out value) : scanner.TryValue(1, out value)))
            {
                error = Fault(in scanner);
                return false;
            }

            ClickField field = name.Kind == RawKind.String ? ClickFields.Find(name.Of(json)) : FindEscaped(name.Of(json));
            if (field != ClickField.None)
            {
                ref RawValue slot = ref fields[(int)field];
                if (slot.Kind != RawKind.Missing && repeated == ClickField.None)
                {
                    repeated = field;
                }

                slot = value;
            }

            next = scanner.SkipWhiteSpace();
            if (next == (byte)',')
            {
                scanner.Advance();
                // A comma must be followed by another name: no trailing commas.
                next = scanner.SkipWhiteSpace();
                next = next == (byte)'}' ? (byte)0 : next;
            }
            else if (next != (byte)'}')
            {
                error = Fault(in scanner);
                return false;
            }
        }

        scanner.Advance();
        if (!scanner.AtEnd())
        {
            error = Fault(in scanner);
            return false;
        }

        error = repeated == ClickField.None ? default : new ClickError(ClickErrorCode.DuplicateField, repeated);
        return repeated == ClickField.None;
    }

    private static ClickError Fault(in JsonScanner scanner) => scanner.TooDeep
        ? new ClickError(ClickErrorCode.TooDeep)
        : new ClickError(ClickErrorCode.MalformedJson, at: scanner.At);

    // "ad\u005fid" is ad_id: else a repeated field could hide.
    private static ClickField FindEscaped(ReadOnlySpan<byte> raw)
    {
        Span<byte> name = stackalloc byte[ClickFields.MaxNameBytes];
        return JsonEscapes.TryUnescape(raw, name, out int written) ? ClickFields.Find(name[..written]) : ClickField.None;
    }

    private static void ThrowShortScratch() =>
        throw new ArgumentException($"scratch must have at least {ScratchBytes} bytes", "scratch");
}
