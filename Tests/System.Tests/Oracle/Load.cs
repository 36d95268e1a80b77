using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace ClickAggregator.SystemTests.Oracle;

/// <summary>
/// Sends clicks on 50 ads with unique ids and keeps what was promised, and what was not: accepted is counted, and what is
/// counted is accepted or unknown.
/// </summary>
/// <param name="seed">Of what is sent.</param>
/// <param name="pause">Between two requests of a lane: where many processes share the machine, and what is tried is not how much they can take.</param>
internal sealed class Load(int seed, TimeSpan pause = default)
{
    private int _number;

    public ConcurrentDictionary<string, string> Accepted { get; } = new();

    public ConcurrentDictionary<string, string> Unknown { get; } = new();

    /// <summary>Sends for as long as something else goes on.</summary>
    public Task DuringAsync(HttpClient http, Func<Task> something) =>
        DuringAsync(stop => Task.WhenAll(Enumerable.Range(0, 4).Select(lane => LaneAsync(http, lane, stop))), something);

    /// <summary>Runs a load of any kind for as long as something else goes on.</summary>
    public static async Task DuringAsync(Func<CancellationToken, Task> load, Func<Task> something)
    {
        using var stop = new CancellationTokenSource();
        Task sending = load(stop.Token);
        try
        {
            await something();
        }
        finally
        {
            await stop.CancelAsync();
        }

        await sending;
    }

    private async Task LaneAsync(HttpClient http, int lane, CancellationToken stop)
    {
        var random = new Random(seed + lane);
        while (!stop.IsCancellationRequested)
        {
            var body = new StringBuilder();
            var sent = new List<(string Id, string Ad)>();
            for (int n = random.Next(1, 400); n > 0; n--)
            {
                string id = $"k-{seed}-{Interlocked.Increment(ref _number)}";
                string ad = $"ad-{random.Next(50)}";
                sent.Add((id, ad));
                body.Append(CultureInfo.InvariantCulture, $"{{\"click_id\":\"{id}\",\"ad_id\":\"{ad}\"}}\n");
            }

            using var content = new StringContent(body.ToString(), Encoding.UTF8, "application/x-ndjson");
            try
            {
                using HttpResponseMessage answer = await http.PostAsync("/v1/clicks", content, CancellationToken.None);
                if ((int)answer.StatusCode == 429)
                {
                    continue; // refused: nothing of it was kept
                }

                if ((int)answer.StatusCode == 503)
                {
                    sent.ForEach(click => Unknown[click.Id] = click.Ad); // not promised, and perhaps kept
                    await Task.Delay(50, CancellationToken.None);
                    continue;
                }

                Assert.Equal(202, (int)answer.StatusCode);
                sent.ForEach(click => Accepted[click.Id] = click.Ad);
                if (pause > TimeSpan.Zero)
                {
                    await Task.Delay(pause, CancellationToken.None);
                }
            }
            catch (HttpRequestException)
            {
                sent.ForEach(click => Unknown[click.Id] = click.Ad);
                return; // the program is gone
            }
        }
    }

    public async Task AssertCountedAsync(HttpClient http, ITestOutputHelper output)
    {
        long counted = 0;
        for (int ad = 0; ad < 50; ad++)
        {
            string id = $"ad-{ad}";
            long clicks = await Answers.ClicksAsync(http, $"/v1/ads/{id}/clicks?last=6h");
            long accepted = Accepted.Values.Count(value => value == id);
            long unknown = Unknown.Values.Count(value => value == id);
            Assert.InRange(clicks, accepted, accepted + unknown);
            counted += clicks;
        }

        Assert.Equal(counted, await Answers.ClicksAsync(http, "/v1/clicks/total?last=6h"));
        output.WriteLine($"{Accepted.Count} accepted, {Unknown.Count} unknown, {counted} counted");
    }
}
