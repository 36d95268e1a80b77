using System.Text.Json;
using ClickAggregator.Api.Tests.Queries;

namespace ClickAggregator.Api.Tests.Archived;

/// <summary>The real program after it has counted and archived clicks that are known one by one.</summary>
public sealed class ArchivedServer : IAsyncLifetime
{
    private ApiServer? _server;

    internal ApiServer Server => _server!;

    /// <summary>When the clicks happened: yesterday at noon.</summary>
    internal static DateTimeOffset Noon { get; } = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddHours(-12), TimeSpan.Zero);

    internal static string Range { get; } = $"from={Noon.UtcDateTime:yyyy-MM-ddTHH:mm:ss}Z&to={Noon.UtcDateTime.AddHours(3):yyyy-MM-ddTHH:mm:ss}Z";

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync("--Archive:MaxAge=1s", "--Rollups=total", "--Rollups=target", "--Rollups=target|country");
        var clicks = new List<string>();
        for (int n = 0; n < 300; n++)
        {
            clicks.Add(Click($"k-{n}", $"a-{n % 10}", n));
        }

        clicks.Add(Click("k-7", "a-7", 7)); // again
        clicks.Add(Click("k-7", "a-8", 7)); // the same id on another target counts
        Answer posted = await Server.PostAsync(string.Join('\n', clicks), "application/x-ndjson");
        Assert.Equal((202, 0), (posted.Status, posted.Rejected));
        await LoadedServer.CountedAsync(Server);
        await Server.UntilAsync("/v1/status", status => status.Json.GetProperty("archive") is { ValueKind: JsonValueKind.Array } archive
            && archive.EnumerateArray().Sum(chain => chain.GetProperty("upto").GetInt64()) == 302);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>One every half minute: 150 minutes, three hours of the clock.</summary>
    private static string Click(string id, string ad, int n) => JsonSerializer.Serialize(new
    {
        click_id = id,
        ad_id = ad,
        timestamp = Noon.AddSeconds(n * 30L).ToUnixTimeMilliseconds(),
        user_id = "u-" + (n % 3),
        country = n % 2 == 0 ? "US" : "DE",
        referrer = "news.example",
    });
}

/// <summary>One server for all tests of raw clicks.</summary>
[CollectionDefinition(nameof(ArchivedServer))]
public sealed class ArchivedServerGroup : ICollectionFixture<ArchivedServer>;
