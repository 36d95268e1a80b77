namespace ClickAggregator.Clicks;

public static partial class ClickParser
{
    private static bool TryRead(
        ReadOnlySpan<byte> json, scoped ref RawValues fields, Span<byte> scratchBytes, long now, ref Click click, out ClickError error)
    {
        var scratch = new Scratch(scratchBytes);
        if (!TryFindTarget(ref fields, out ClickField target, out error))
        {
            return false;
        }

        ReadOnlySpan<byte> id;
        if (target == ClickField.PageUrl)
        {
            if (!TryPageUrl(json, fields[(int)target], ref scratch, out ReadOnlySpan<byte> url, out id, out error))
            {
                return false;
            }

            click.Kind = TargetKind.Page;
            click.PageUrl = url;
        }
        else
        {
            if (!TryId(json, fields[(int)target], target, ref scratch, out id, out error))
            {
                return false;
            }

            click.Kind = (TargetKind)target;
        }

        click.TargetId = id;
        if (!TryOptionalId(json, ref fields, ClickField.ClickId, ref scratch, out id, out error))
        {
            return false;
        }

        click.ClickId = id;
        if (!TryTimestamp(json, fields[(int)ClickField.Timestamp], ref scratch, now, out long timestamp, out error))
        {
            return false;
        }

        click.Timestamp = timestamp;
        if (!TryOptionalId(json, ref fields, ClickField.CampaignId, ref scratch, out id, out error))
        {
            return false;
        }

        click.CampaignId = id;
        if (!TryOptionalId(json, ref fields, ClickField.UserId, ref scratch, out id, out error))
        {
            return false;
        }

        click.UserId = id;
        if (!TryCountry(json, fields[(int)ClickField.Country], ref scratch, out ReadOnlySpan<byte> text, out error))
        {
            return false;
        }

        click.Country = text;
        if (!TryDevice(json, fields[(int)ClickField.Device], ref scratch, out text, out error))
        {
            return false;
        }

        click.Device = text;
        if (!TryReferrer(json, fields[(int)ClickField.Referrer], ref scratch, out text, out error))
        {
            return false;
        }

        click.Referrer = text;
        click.ReceivedAt = now;
        return true;
    }

    private static bool TryFindTarget(scoped ref RawValues fields, out ClickField target, out ClickError error)
    {
        target = ClickField.None;
        for (ClickField field = ClickField.AdId; field <= ClickField.PageUrl; field++)
        {
            // Serialisers that write every property write null for the four others.
            if (fields[(int)field].Kind is RawKind.Missing or RawKind.Null)
            {
                continue;
            }

            if (target != ClickField.None)
            {
                error = new ClickError(ClickErrorCode.TargetAmbiguous, field);
                return false;
            }

            target = field;
        }

        error = target == ClickField.None ? new ClickError(ClickErrorCode.TargetMissing) : default;
        return target != ClickField.None;
    }

    // The value of a string field in UTF-8, or empty where it is absent. Unescaped it has at most maxBytes.
    private static ClickErrorCode ReadString(
        ReadOnlySpan<byte> json, RawValue value, int maxBytes, ClickErrorCode tooLong, scoped ref Scratch scratch,
        out ReadOnlySpan<byte> text)
    {
        text = default;
        switch (value.Kind)
        {
            case RawKind.Missing or RawKind.Null:
                return ClickErrorCode.None;
            case RawKind.String:
                text = value.Of(json);
                return value.Length <= maxBytes ? ClickErrorCode.None : tooLong;
            case RawKind.EscapedString:
                Span<byte> unescaped = scratch.Take(maxBytes);
                if (!JsonEscapes.TryUnescape(value.Of(json), unescaped, out int written))
                {
                    return tooLong;
                }

                text = unescaped[..written];
                return ClickErrorCode.None;
            default:
                return ClickErrorCode.FieldInvalid;
        }
    }

    private static bool TryOptionalId(
        ReadOnlySpan<byte> json, scoped ref RawValues fields, ClickField field, scoped ref Scratch scratch,
        out ReadOnlySpan<byte> id, out ClickError error)
    {
        RawValue value = fields[(int)field];
        if (value.Kind is RawKind.Missing or RawKind.Null || (value.Kind == RawKind.String && value.Length == 0))
        {
            id = default;
            error = default;
            return true;
        }

        return TryId(json, value, field, ref scratch, out id, out error);
    }

    private static bool TryId(
        ReadOnlySpan<byte> json, RawValue value, ClickField field, scoped ref Scratch scratch,
        out ReadOnlySpan<byte> id, out ClickError error)
    {
        ClickErrorCode code = ReadString(json, value, IdRules.MaxBytes, ClickErrorCode.IdInvalid, ref scratch, out id);
        if (code == ClickErrorCode.None && !IdRules.IsId(id))
        {
            code = ClickErrorCode.IdInvalid;
        }

        return Answer(code, field, out error);
    }

    private static bool TryPageUrl(
        ReadOnlySpan<byte> json, RawValue value, scoped ref Scratch scratch,
        out ReadOnlySpan<byte> url, out ReadOnlySpan<byte> id, out ClickError error)
    {
        url = default;
        id = default;
        if (value.Kind == RawKind.EscapedString)
        {
            // The query may be long, and is dropped anyway: only what stands before it must fit.
            int end = value.Of(json).IndexOfAny((byte)'?', (byte)'#');
            value = end < 0 ? value : new RawValue(RawKind.EscapedString, value.Start, end);
        }

        int most = value.Kind == RawKind.EscapedString ? PageUrls.MaxUnescaped : MaxLineBytes;
        ClickErrorCode code = ReadString(json, value, most, ClickErrorCode.FieldInvalid, ref scratch, out ReadOnlySpan<byte> text);
        if (code == ClickErrorCode.None)
        {
            if (PageUrls.TryNormalise(text, ref scratch, out url))
            {
                id = PageUrls.Id(url, ref scratch);
            }
            else
            {
                code = ClickErrorCode.FieldInvalid;
            }
        }

        return Answer(code, ClickField.PageUrl, out error);
    }

    private static bool TryTimestamp(
        ReadOnlySpan<byte> json, RawValue value, scoped ref Scratch scratch, long now, out long timestamp, out ClickError error)
    {
        ClickErrorCode code;
        if (value.Kind == RawKind.Number)
        {
            code = TimestampText.ReadNumber(value.Of(json), now, out timestamp);
        }
        else
        {
            timestamp = Click.NoTimestamp;
            code = ReadString(
                json, value, MaxTimestampBytes, ClickErrorCode.TimestampInvalid, ref scratch, out ReadOnlySpan<byte> text);
            if (code == ClickErrorCode.None && !text.IsEmpty)
            {
                code = TimestampText.ReadText(text, now, out timestamp);
            }
        }

        return Answer(code, ClickField.Timestamp, out error);
    }

    private static bool TryCountry(
        ReadOnlySpan<byte> json, RawValue value, scoped ref Scratch scratch, out ReadOnlySpan<byte> country, out ClickError error)
    {
        ClickErrorCode code = ReadString(json, value, 2, ClickErrorCode.FieldInvalid, ref scratch, out country);
        if (code == ClickErrorCode.None && !country.IsEmpty)
        {
            if (country.Length != 2 || !char.IsAsciiLetter((char)country[0]) || !char.IsAsciiLetter((char)country[1]))
            {
                code = ClickErrorCode.FieldInvalid;
            }
            else if (!char.IsAsciiLetterUpper((char)country[0]) || !char.IsAsciiLetterUpper((char)country[1]))
            {
                Span<byte> upper = scratch.Take(2);
                upper[0] = (byte)(country[0] & ~0x20);
                upper[1] = (byte)(country[1] & ~0x20);
                country = upper;
            }
        }

        return Answer(code, ClickField.Country, out error);
    }

    private static bool TryDevice(
        ReadOnlySpan<byte> json, RawValue value, scoped ref Scratch scratch, out ReadOnlySpan<byte> device, out ClickError error)
    {
        ClickErrorCode code = ReadString(
            json, value, IdRules.MaxDeviceBytes, ClickErrorCode.FieldInvalid, ref scratch, out device);
        if (code == ClickErrorCode.None && !device.IsEmpty && !IdRules.IsDevice(device))
        {
            code = ClickErrorCode.FieldInvalid;
        }

        return Answer(code, ClickField.Device, out error);
    }

    private static bool TryReferrer(
        ReadOnlySpan<byte> json, RawValue value, scoped ref Scratch scratch, out ReadOnlySpan<byte> host, out ClickError error)
    {
        host = default;
        ClickErrorCode code = ReadString(
            json, value, MaxReferrerUrlBytes, ClickErrorCode.FieldInvalid, ref scratch, out ReadOnlySpan<byte> text);
        if (code == ClickErrorCode.None && !text.IsEmpty && !Hosts.TryReferrer(text, ref scratch, out host))
        {
            code = ClickErrorCode.FieldInvalid;
        }

        return Answer(code, ClickField.Referrer, out error);
    }

    private static bool Answer(ClickErrorCode code, ClickField field, out ClickError error)
    {
        error = code == ClickErrorCode.None ? default : new ClickError(code, field);
        return code == ClickErrorCode.None;
    }
}
