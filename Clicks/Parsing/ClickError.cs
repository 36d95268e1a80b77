using System.Collections.Immutable;

namespace ClickAggregator.Clicks;

/// <summary>Why a click was rejected. Nothing is allocated until <see cref="Message"/> is asked for.</summary>
public readonly struct ClickError : IEquatable<ClickError>
{
    private static readonly ImmutableArray<string> s_names =
    [
        "", "malformed_json", "not_an_object", "too_deep", "line_too_long", "duplicate_field", "target_missing",
        "target_ambiguous", "id_invalid", "timestamp_invalid", "timestamp_in_future", "timestamp_too_old",
        "timestamp_in_seconds", "field_invalid",
    ];

    private readonly ClickField _field;
    private readonly int _at;

    internal ClickError(ClickErrorCode code, ClickField field = ClickField.None, int at = -1)
    {
        Code = code;
        _field = field;
        _at = at;
    }

    public ClickErrorCode Code { get; }

    /// <summary>The stable name, for example <c>id_invalid</c>; empty where there is no error.</summary>
    public string CodeName => NameOf(Code);

    /// <summary>The field at fault, for example <c>ad_id</c>; null where the whole click is.</summary>
    public string? Field => _field == ClickField.None ? null : ClickFields.Name(_field);

    /// <summary>One sentence for a person, without the click's own content. It may change between versions.</summary>
    public string Message => Code switch
    {
        ClickErrorCode.None => "",
        ClickErrorCode.MalformedJson => _at < 0
            ? "the line is not valid UTF-8"
            : string.Create(null, $"not valid JSON at byte {_at}"),
        ClickErrorCode.NotAnObject => "a click is a JSON object",
        ClickErrorCode.TooDeep => $"nested deeper than {ClickParser.MaxDepth}",
        ClickErrorCode.LineTooLong => $"a click has at most {ClickParser.MaxLineBytes} bytes",
        ClickErrorCode.DuplicateField => $"{Field} is given twice",
        ClickErrorCode.TargetMissing =>
            "one of ad_id, video_id, post_id, page_id, app_id, page_url is needed",
        ClickErrorCode.TargetAmbiguous =>
            "only one of ad_id, video_id, post_id, page_id, app_id, page_url may be given",
        ClickErrorCode.IdInvalid =>
            $"{Field} must be 1-{IdRules.MaxBytes} characters of A-Z a-z 0-9 . _ ~ : - and not . or ..",
        ClickErrorCode.TimestampInvalid =>
            "timestamp must be ISO 8601 with a zone (2026-11-22T19:21:55.123Z) or a whole number of epoch milliseconds",
        ClickErrorCode.TimestampInFuture => "timestamp is more than 5 minutes ahead of the receipt",
        ClickErrorCode.TimestampTooOld => "timestamp is before 2000-01-01",
        ClickErrorCode.TimestampInSeconds => "timestamp looks like epoch seconds; send milliseconds",
        _ => _field switch
        {
            ClickField.Country => "country must be a string of two letters",
            ClickField.Device => $"device must be a string of 1-{IdRules.MaxDeviceBytes} id characters",
            ClickField.Referrer => $"referrer must be a URL or a host of at most {ClickParser.MaxReferrerUrlBytes} bytes",
            ClickField.PageUrl => "page_url must be an http or https URL with a host, of at most "
                + $"{ClickRecord.MaxPageUrlBytes} bytes without its query",
            ClickField.Timestamp => "timestamp must be a string or a number",
            _ => $"{Field} must be a string",
        },
    };

    /// <summary>The name of a code on the wire; empty for <see cref="ClickErrorCode.None"/>.</summary>
    public static string NameOf(ClickErrorCode code) => s_names[(int)code];

    public bool Equals(ClickError other) => Code == other.Code && _field == other._field && _at == other._at;

    public override bool Equals(object? obj) => obj is ClickError other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Code, _field, _at);

    public override string ToString() => Code == ClickErrorCode.None ? "none" : $"{CodeName}: {Message}";

    public static bool operator ==(ClickError left, ClickError right) => left.Equals(right);

    public static bool operator !=(ClickError left, ClickError right) => !left.Equals(right);
}
