using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ClickAggregator.Api.Verify;

/// <summary>
/// Reads a click from JSON with System.Text.Json and regular expressions, by the rules of Clicks/README.md and nothing of the
/// parser that the counting has.
/// </summary>
internal static partial class RecountedJson
{
    private const int MostBytes = 16 << 10;
    private const long Oldest = 946_684_800_000;
    private const long MostSeconds = 100_000_000_000;
    private const long MostAhead = 5 * 60_000;

    private static readonly string[] s_targets = ["ad_id", "video_id", "post_id", "page_id", "app_id", "page_url"];
    private static readonly HashSet<string> s_known =
        [.. s_targets, "click_id", "timestamp", "campaign_id", "user_id", "country", "device", "referrer"];

    /// <summary>Null where it is no click.</summary>
    public static RecountedClick? Read(byte[] value, long logTime)
    {
        if (value.Length > MostBytes || !System.Text.Unicode.Utf8.IsValid(value))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(value, new JsonDocumentOptions { MaxDepth = 16 });
            return json.RootElement.ValueKind == JsonValueKind.Object && Fields(json.RootElement) is { } fields ? Read(fields, logTime) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // An InvalidOperationException is text that no string can hold: an escaped half of a surrogate pair.
            return null;
        }
    }

    // Null where a known field is given twice. A null is as good as not given.
    private static Dictionary<string, JsonElement>? Fields(JsonElement click)
    {
        var fields = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (JsonProperty property in click.EnumerateObject())
        {
            if (s_known.FirstOrDefault(name => property.NameEquals(name)) is { } known && !fields.TryAdd(known, property.Value))
            {
                return null;
            }
        }

        return fields.Where(field => field.Value.ValueKind != JsonValueKind.Null).ToDictionary(StringComparer.Ordinal);
    }

    private static RecountedClick? Read(Dictionary<string, JsonElement> fields, long logTime)
    {
        string[] targets = [.. s_targets.Where(fields.ContainsKey)];
        if (targets.Length != 1)
        {
            return null;
        }

        string? target = targets[0] == "page_url" ? RecountedUrl.PageId(fields["page_url"]) : fields[targets[0]].GetString();
        if (target is null || !IsId(target)
            || Optional(fields, "click_id", IsId) is not { } id
            || Optional(fields, "campaign_id", IsId) is not { } campaign
            || Optional(fields, "user_id", IsId) is null
            || Optional(fields, "country", text => Letters().IsMatch(text)) is not { } country
            || Optional(fields, "device", text => text.Length <= 32 && IsId(text)) is not { } device
            || Optional(fields, "referrer", RecountedUrl.IsReferrer) is null
            || Time(fields, logTime) is not { } time)
        {
            return null;
        }

        return new RecountedClick(targets[0].Split('_')[0], target, id, campaign, country.ToUpperInvariant(), device, time);
    }

    // Empty where it is absent or empty; null where it breaks the rule.
    private static string? Optional(Dictionary<string, JsonElement> fields, string name, Func<string, bool> rule) =>
        !fields.TryGetValue(name, out JsonElement field) ? ""
        : field.ValueKind == JsonValueKind.String && field.GetString() is { } text && (text.Length == 0 || rule(text)) ? text
        : null;

    private static long? Time(Dictionary<string, JsonElement> fields, long logTime)
    {
        if (!fields.TryGetValue("timestamp", out JsonElement field) || (field.ValueKind == JsonValueKind.String && field.ValueEquals("")))
        {
            return logTime;
        }

        decimal? time = field.ValueKind switch
        {
            JsonValueKind.Number when Digits().IsMatch(field.GetRawText()) && field.TryGetDecimal(out decimal number) => number > MostSeconds ? number : null,
            JsonValueKind.String => Instant(field.GetString()!),
            _ => null,
        };
        return time >= Oldest && time <= logTime + MostAhead ? (long)time : null;
    }

    private static decimal? Instant(string text)
    {
        Match match = IsoInstant().Match(text);
        if (text.Length > 64 || !match.Success)
        {
            return null;
        }

        int second = Number("s");
        if (Number("h") > 23 || Number("m") > 59 || second > 60 || Number("zh") > 23 || Number("zm") > 59
            || !DateTime.TryParseExact(match.Groups["date"].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime day))
        {
            return null;
        }

        int fraction = int.Parse((match.Groups["f"].Value + "000")[..3], CultureInfo.InvariantCulture);
        long offset = ((Number("zh") * 60) + Number("zm")) * (match.Groups["sign"].Value == "-" ? -60_000L : 60_000L);
        long ofMinute = second == 60 ? 59_999 : (second * 1000) + fraction;
        return new DateTimeOffset(day).ToUnixTimeMilliseconds() + (((Number("h") * 60L) + Number("m")) * 60_000) + ofMinute - offset;

        int Number(string group) => match.Groups[group].Success ? int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture) : 0;
    }

    private static bool IsId(string text) => Id().IsMatch(text) && text is not ("." or "..");

    [GeneratedRegex(@"\A[A-Za-z0-9._~:-]{1,128}\z")]
    private static partial Regex Id();

    [GeneratedRegex(@"\A[A-Za-z]{2}\z")]
    private static partial Regex Letters();

    [GeneratedRegex(@"\A[0-9]{1,25}\z")]
    private static partial Regex Digits();

    [GeneratedRegex(@"\A(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?<h>[0-9]{2}):(?<m>[0-9]{2})(:(?<s>[0-9]{2})([.,](?<f>[0-9]+))?)?([Zz]|(?<sign>[+-])(?<zh>[0-9]{2})(:?(?<zm>[0-9]{2}))?)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex IsoInstant();
}
