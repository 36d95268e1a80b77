using ClickAggregator.Clicks;
using ClickAggregator.Settings;

namespace ClickAggregator.Api.Settings;

/// <summary><c>Limits:*</c>: the bounds of requests. Each is checked before the thing it bounds is parsed.</summary>
internal sealed class LimitSettings
{
    /// <summary>Beyond it: 413 <c>too_many_clicks</c>.</summary>
    public required int Clicks { get; init; }

    /// <summary>Of a body, also after decompression. Beyond it: 413 <c>body_too_large</c>.</summary>
    public required int BodyBytes { get; init; }

    /// <summary>Of one click. Beyond it: <c>line_too_long</c>.</summary>
    public required int LineBytes { get; init; }

    /// <summary>Points of one query's answer.</summary>
    public required int Points { get; init; }

    /// <summary>The longest range of a query.</summary>
    public required TimeSpan Range { get; init; }

    /// <summary>Body bytes held by all requests together. Beyond it: 503 <c>overloaded</c>.</summary>
    public required long BytesInFlight { get; init; }

    /// <summary>Requests that are read, or wait for the disk, at once. Beyond it: 503 <c>overloaded</c>.</summary>
    public required int RequestsInFlight { get; init; }

    /// <summary>Open connections; further ones are closed at once.</summary>
    public required int Connections { get; init; }

    /// <summary>How long the request line and headers may take. Beyond it: 408, and the connection is closed.</summary>
    public required TimeSpan HeaderTimeout { get; init; }

    /// <summary>How long a body may take. Beyond it: 408 <c>body_too_slow</c>.</summary>
    public required TimeSpan BodyTimeout { get; init; }

    /// <summary>The least mean rate of a body, bytes a second, after a grace of five seconds. Below it: 408 <c>body_too_slow</c>.</summary>
    public required int BodyRate { get; init; }

    public static LimitSettings Read(SettingReader reader)
    {
        var settings = new LimitSettings
        {
            Clicks = reader.Number("Limits:Clicks", 10_000, 1, 1_000_000, "clicks in one request"),
            BodyBytes = (int)reader.Size("Limits:BodyBytes", 8L << 20, 1L << 10, 1L << 30, "a body, also after decompression"),
            LineBytes = (int)reader.Size("Limits:LineBytes", 16L << 10, 256, ClickParser.MaxLineBytes, "one click: a line, an item, an object"),
            Points = reader.Number("Limits:Points", 10_000, 1, 1_000_000, "points in the answer to one query"),
            Range = reader.Duration("Limits:Range", TimeSpan.FromDays(400), TimeSpan.FromDays(1), TimeSpan.FromDays(36_500), "the range of one query"),
            BytesInFlight = reader.Size("Limits:BytesInFlight", 128L << 20, 1L << 20, 1L << 40, "body bytes held by all requests together (then 503 overloaded)"),
            RequestsInFlight = reader.Number("Limits:RequestsInFlight", 4_096, 1, 1_000_000, "posts of clicks at work at once (then 503 overloaded)"),
            Connections = reader.Number("Limits:Connections", 10_000, 10, 1_000_000, "open connections"),
            HeaderTimeout = reader.Duration("Limits:HeaderTimeout", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10),
                "how long a request's headers may take"),
            BodyTimeout = reader.Duration("Limits:BodyTimeout", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1),
                "how long a body may take (then 408 body_too_slow)"),
            BodyRate = reader.Number("Limits:BodyRate", 1_024, 1, 1_000_000_000, "least bytes a second of a body, after 5 s (then 408 body_too_slow)"),
        };
        if (settings.LineBytes > settings.BodyBytes)
        {
            reader.Fault("Limits:LineBytes", "must be at most Limits:BodyBytes");
        }

        // a buffer that grows is held twice for a moment
        if (settings.BytesInFlight < 2L * settings.BodyBytes)
        {
            reader.Fault("Limits:BytesInFlight", "must be at least twice Limits:BodyBytes");
        }

        return settings;
    }
}
