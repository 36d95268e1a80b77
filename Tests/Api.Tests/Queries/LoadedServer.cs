using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>The real program with every rollup, after it has counted clicks that are known one by one.</summary>
public sealed class LoadedServer : IAsyncLifetime
{
    private static readonly string[] s_bases = ["total", "kind", "target", "campaign"];
    private static readonly string[] s_dimensions = ["", "|country", "|device", "|country|device"];
    private ApiServer? _server;

    internal ApiServer Server => _server!;

    /// <summary>What was counted: each click once.</summary>
    internal IReadOnlyList<TestClick> Clicks { get; private set; } = [];

    public static string[] AllRollups { get; } =
        [.. s_bases.SelectMany(of => s_dimensions.Select(by => "--Rollups=" + of + by))];

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(AllRollups);
        Clicks = KnownClicks.Draw(TimeProvider.System.GetUtcNow());

        // Some come twice: they count once.
        string body = string.Join('\n', Clicks.Concat(Clicks.Where((_, n) => n % 50 == 0)).Select(click => click.ToJson()));
        Answer posted = await Server.PostAsync(body, "application/x-ndjson");
        Assert.Equal((202, 0), (posted.Status, posted.Rejected));
        await CountedAsync(Server);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>Waits until every partition has counted to the end of its log.</summary>
    internal static async Task CountedAsync(ApiServer server)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            Answer status = await server.GetAsync("/v1/status");
            JsonElement[] partitions = [.. status.Json.GetProperty("partitions").EnumerateArray()];
            if (partitions.Length > 0 && partitions.All(one => one.GetProperty("lag").GetInt64() == 0 && one.GetProperty("counted_until").ValueKind == JsonValueKind.String))
            {
                return;
            }

            Assert.False(deadline.IsCancellationRequested, status.Body);
            await Task.Delay(20);
        }
    }

    /// <summary>An answer that has to be right, with what every answer carries.</summary>
    internal async Task<Counted> AskAsync(string path)
    {
        DateTimeOffset before = TimeProvider.System.GetUtcNow();
        return Checked(await Server.GetAsync(path), before);
    }

    internal async Task<Counted> QueryAsync(string path, object body)
    {
        DateTimeOffset before = TimeProvider.System.GetUtcNow();
        return Checked(await PostAsync(path, JsonSerializer.Serialize(body)), before);
    }

    internal Task<Answer> PostAsync(string path, string body, string type = "application/json") => PostAsync(path, Encoding.UTF8.GetBytes(body), type);

    internal async Task<Answer> PostAsync(string path, byte[] body, string type = "application/json")
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return await Answer.ReadAsync(await Server.Client.PostAsync(new Uri(path, UriKind.Relative), content));
    }

    internal IEnumerable<TestClick> Of(string? kind = null, string? target = null) =>
        Clicks.Where(click => (kind is null || click.Kind == kind) && (target is null || click.Target == target));

    private static Counted Checked(Answer answer, DateTimeOffset before)
    {
        DateTimeOffset after = TimeProvider.System.GetUtcNow();
        Assert.True(answer.Status == 200, $"{answer.Status} {answer.Body}");
        Assert.Equal("application/json", answer.Message.Content.Headers.ContentType!.MediaType);
        var counted = new Counted(answer.Json, before, after);
        double lag = counted.Json.GetProperty("lag_seconds").GetDouble();
        DateTimeOffset until = Counted.Time(counted.Json.GetProperty("counted_until"));
        Assert.InRange(lag, Math.Max(0, (before - until).TotalSeconds) - 0.002, Math.Max(0, (after - until).TotalSeconds) + 0.002);
        Assert.Equal(0, counted.Json.GetProperty("sources_stale").GetInt32());
        Assert.Contains(counted.Json.GetProperty("final_until").ValueKind, (JsonValueKind[])[JsonValueKind.Null, JsonValueKind.String]);
        Assert.Contains(counted.Json.GetProperty("version").ValueKind, (JsonValueKind[])[JsonValueKind.Null, JsonValueKind.Number]);
        Assert.False(counted.Json.TryGetProperty("incomplete", out _));
        return counted;
    }
}

/// <summary>One server for all tests of queries: loading it takes longer than asking.</summary>
[CollectionDefinition(nameof(LoadedServer))]
public sealed class LoadedServerGroup : ICollectionFixture<LoadedServer>;

/// <summary>An answer to a query, asked between two moments.</summary>
internal sealed record Counted(JsonElement Json, DateTimeOffset Before, DateTimeOffset After)
{
    public DateTimeOffset From => Time(Json.GetProperty("from"));

    public DateTimeOffset To => Time(Json.GetProperty("to"));

    public long Clicks => Json.GetProperty("clicks").GetInt64();

    public (DateTimeOffset Start, long Clicks)[] Points => [.. Json.GetProperty("points").EnumerateArray()
        .Select(point => (Time(point.GetProperty("start")), point.GetProperty("clicks").GetInt64()))];

    public (string Id, long Clicks)[] Items => [.. Json.GetProperty("items").EnumerateArray()
        .Select(item => (item.GetProperty("id").GetString()!, item.GetProperty("clicks").GetInt64()))];

    /// <summary>The clicks in the range that the answer says it used.</summary>
    public IEnumerable<TestClick> In(IEnumerable<TestClick> clicks) => clicks.Where(click => click.Time >= From && click.Time < To);

    /// <summary>That the points lie in the range without gaps, and each has the clicks of its time.</summary>
    public void CheckPoints(IEnumerable<TestClick> clicks)
    {
        (DateTimeOffset Start, long Clicks)[] points = Points;
        List<TestClick> known = [.. clicks];
        Assert.Equal(From, points[0].Start);
        for (int n = 0; n < points.Length; n++)
        {
            DateTimeOffset end = n + 1 < points.Length ? points[n + 1].Start : To;
            Assert.True(points[n].Start < end);
            Assert.Equal(known.Count(click => click.Time >= points[n].Start && click.Time < end), points[n].Clicks);
        }

        Assert.Equal(Clicks, points.Sum(point => point.Clicks));
    }

    /// <summary>That the range is the one that ends at the next full minute after the request came.</summary>
    public void CheckRolling(TimeSpan length)
    {
        Assert.InRange(To, Next(Before), Next(After));
        Assert.Equal(length, To - From);
    }

    public static DateTimeOffset Time(JsonElement text) => DateTimeOffset.Parse(text.GetString()!, CultureInfo.InvariantCulture);

    public static DateTimeOffset Next(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(((time.ToUnixTimeSeconds() / 60) + 1) * 60);
}
