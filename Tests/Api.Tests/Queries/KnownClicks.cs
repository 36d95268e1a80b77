namespace ClickAggregator.Api.Tests.Queries;

/// <summary>Clicks drawn from a seed: recent ones, ninety days of them, and some around the days that clocks change.</summary>
internal static class KnownClicks
{
    public const int Seed = 20_260_411;

    /// <summary>In the middle of the days for paging: 230 ads that are clicked on no other.</summary>
    public static readonly DateTimeOffset Paging = new(2023, 6, 15, 0, 0, 0, TimeSpan.Zero);

    public static readonly DateTimeOffset Spring = new(2024, 3, 10, 12, 0, 0, TimeSpan.Zero);

    public static readonly DateTimeOffset Autumn = new(2024, 11, 3, 12, 0, 0, TimeSpan.Zero);

    private static readonly string[] s_kinds = ["ad", "ad", "ad", "ad", "ad", "video", "post", "page", "app"];
    private static readonly string?[] s_countries = ["US", "US", "DE", "IN", "NP", null];
    private static readonly string?[] s_devices = ["mobile", "mobile", "desktop", "tv:4k", null];
    private static readonly string?[] s_campaigns = ["c-1", "c-2", "c-3", "c-4", null, null];

    public static List<TestClick> Draw(DateTimeOffset now)
    {
        var random = new Random(Seed);
        var clicks = new List<TestClick>();
        for (int n = 0; n < 500; n++)
        {
            clicks.Add(Any(random, $"r-{n}", now - TimeSpan.FromMilliseconds(random.Next(60 * 60_000))));
        }

        for (int n = 0; n < 1500; n++)
        {
            clicks.Add(Any(random, $"d-{n}", now - TimeSpan.FromSeconds(random.Next(95 * 86_400))));
        }

        foreach (DateTimeOffset change in (DateTimeOffset[])[Spring, Autumn])
        {
            for (int n = 0; n < 400; n++)
            {
                clicks.Add(Any(random, $"z-{change.Month}-{n}", change + TimeSpan.FromSeconds(random.Next(-2 * 86_400, 2 * 86_400))));
            }
        }

        for (int n = 0; n < 230; n++)
        {
            for (int again = 0; again <= n % 3; again++)
            {
                clicks.Add(new($"p-{n}-{again}", "ad", $"many-{n:000}", Paging.AddSeconds(random.Next(86_400)), Country: n % 4 == 0 ? "DE" : "US"));
            }
        }

        // The borders of minutes and days themselves.
        clicks.Add(new("b-1", "ad", "border", Paging, Country: "US"));
        clicks.Add(new("b-2", "ad", "border", Paging.AddMilliseconds(-1), Country: "US"));
        clicks.Add(new("b-3", "ad", "border", Paging.AddMinutes(1).AddMilliseconds(-1), Country: "US"));
        clicks.Add(new("b-4", "ad", "border", Paging.AddMinutes(1), Country: "US"));
        clicks.Add(TestClick.OfPageUrl("u-1", "https://Shop.Example/a?q=1#top", "https://shop.example/a", now - TimeSpan.FromMinutes(3)));
        clicks.Add(TestClick.OfPageUrl("u-2", "https://shop.example/a?q=2", "https://shop.example/a", now - TimeSpan.FromMinutes(4)));
        return clicks;
    }

    private static TestClick Any(Random random, string id, DateTimeOffset time)
    {
        string kind = s_kinds[random.Next(s_kinds.Length)];

        // A few targets with many clicks, many with few: so that rankings have ties and ends.
        int target = (int)(30 * Math.Pow(random.NextDouble(), 3));
        return new(id, kind, $"{kind[0]}-{target}", DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds()),
            s_campaigns[random.Next(s_campaigns.Length)], s_countries[random.Next(s_countries.Length)], s_devices[random.Next(s_devices.Length)]);
    }
}
