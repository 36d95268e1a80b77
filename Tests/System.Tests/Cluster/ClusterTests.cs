using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>
/// Many silos over Kafka and Cassandra, as processes: whatever dies, accepted is counted, once. Those that take a minute and more
/// are run by name: <c>dotnet run --project Tests/System.Tests -- -explicit only -class '*.ClusterTests'</c>.
/// </summary>
public class ClusterTests(KafkaServer kafka, CassandraServer cassandra, ITestOutputHelper output)
{
    [Fact]
    public async Task Real_clicks_through_two_silos_equal_the_recount_and_the_API_that_started_first_waited_for_them()
    {
        string[] lines = [.. RealClicks.Lines.Take(40_000)];
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra);
        await using ApiProcess api = await cluster.StartApiAsync();
        await RealClicksTests.SendAsync(api.Http, lines[..20_000]);
        using (HttpResponseMessage early = await api.Http.GetAsync("/v1/clicks/total"))
        {
            Assert.Equal(503, (int)early.StatusCode);
            Assert.Contains("store_unavailable", await early.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.NotNull(early.Headers.RetryAfter);
        }

        Assert.Equal(503, (int)(await api.Http.GetAsync("/health/ready/query")).StatusCode);
        await cluster.StartSilosAsync(2);
        await RealClicksTests.SendAsync(api.Http, lines[20_000..]);
        var recount = Recount.Of(lines);
        await Answers.AgreeAsync(api.Http, recount, eachHour: true);
        Assert.Equal(200, (int)(await api.Http.GetAsync("/health/ready/query")).StatusCode);
        await TablesAgreeAsync(cluster, recount);
        await Eventually.Async("the dashboard shows both silos", async () =>
        {
            string counters = await api.Http.GetStringAsync("/dashboard/DashboardCounters");
            return cluster.Silos.All(silo => counters.Contains(SiloProcess.ReachedAt(silo), StringComparison.Ordinal));
        }, TimeSpan.FromMinutes(1));
    }

    /// <summary>A client of another make finds the same numbers in the tables as the API.</summary>
    private async Task TablesAgreeAsync(ClusterPrograms cluster, Recount recount)
    {
        string[] where = [(await cassandra.ContactPointsAsync()).Split(',')[0], $"{cassandra.Port}", cluster.Keyspace];
        using var tables = JsonDocument.Parse(await PythonDriver.RunAsync("Cluster/reader.py", where));
        var quartersOfAds = new Dictionary<(string Ad, long Quarter), long>();
        long total = 0;
        foreach (JsonProperty row in tables.RootElement.GetProperty("hours").EnumerateObject())
        {
            string[] key = row.Name.Split('@');
            long[] quarters = [.. row.Value[0].EnumerateArray().Select(count => count.GetInt64())];
            total += key[0] == "total" ? quarters.Sum() : 0;
            if (key[0].StartsWith("ad:", StringComparison.Ordinal) && !key[0].Contains('|', StringComparison.Ordinal))
            {
                for (int quarter = 0; quarter < 4; quarter++)
                {
                    (string, long) at = (key[0][3..], (long.Parse(key[1], CultureInfo.InvariantCulture) * 4) + quarter);
                    quartersOfAds[at] = quartersOfAds.GetValueOrDefault(at) + quarters[quarter];
                }
            }
        }

        Assert.Equal(recount.Total, total);
        Assert.Equal(
            recount.ByAdMinute.GroupBy(one => (one.Key.Ad, one.Key.Minute / 15), one => one.Value).Select(group => (group.Key, group.Sum())).Order(),
            quartersOfAds.Where(one => one.Value > 0).Select(one => (one.Key, one.Value)).Order());
    }

    [Fact]
    public async Task Silos_that_are_killed_stopped_paused_and_replaced_under_load_change_no_count_and_no_answer_goes_back()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra);
        await using ApiProcess api = await cluster.StartApiAsync();
        await cluster.StartSilosAsync(3);
        var load = new Load(seed);
        var watcher = new Watcher(api.Http, "/v1/clicks/total?last=6h");
        using var stop = new CancellationTokenSource();
        Task watching = watcher.WatchAsync(stop.Token);
        await load.DuringAsync(api.Http, async () =>
        {
            for (int round = 0; round < 3; round++)
            {
                ProgramProcess one = cluster.Silos[random.Next(cluster.Silos.Count)];
                output.WriteLine($"round {round}: {load.Accepted.Count} accepted, {watcher.Last} seen");
                switch (round)
                {
                    case 0:
                        cluster.Kill(one);
                        break;
                    case 1:
                        await cluster.StopAsync(one);
                        break;
                    default:
                        one.Signal(19);
                        await Task.Delay(TimeSpan.FromSeconds(15)); // past what the others wait before they declare it dead
                        one.Signal(18);
                        break;
                }

                await GoesOnAsync();
                await cluster.StartSilosAsync(3 - cluster.Silos.Count);
            }
        });
        await Answers.CountedUntilNowAsync(api.Http);
        await stop.CancelAsync();
        await watching;
        await load.AssertCountedAsync(api.Http, output);
        output.WriteLine($"{watcher.Answers} answers, {watcher.Refused} refused with 503");

        Task GoesOnAsync()
        {
            long from = load.Accepted.Count;
            return Eventually.Async("the counting goes on", () => Task.FromResult(watcher.Last >= from), TimeSpan.FromMinutes(1));
        }
    }

    [Fact(Explicit = true)]
    public async Task Silos_replaced_one_after_the_other_show_no_user_an_error()
    {
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra);
        await using ApiProcess api = await cluster.StartApiAsync();
        await cluster.StartSilosAsync(2);
        var load = new Load(13);
        Watcher[] watchers =
        [
            new(api.Http, "/v1/clicks/total?last=6h"), new(api.Http, "/v1/ads/ad-1/clicks?last=6h"), new(api.Http, "/v1/ads/clicks?last=30d"),
        ];
        await Answers.CountedUntilNowAsync(api.Http);
        await load.DuringAsync(api.Http, () => Load.DuringAsync(stop => Task.WhenAll(watchers.Select(watcher => watcher.WatchAsync(stop))), async () =>
        {
            foreach (ProgramProcess old in cluster.Silos.ToArray())
            {
                await cluster.StartSilosAsync(1);
                await cluster.StopAsync(old);
            }

            await Answers.CountedUntilNowAsync(api.Http);
        }));
        await Answers.CountedUntilNowAsync(api.Http);
        await load.AssertCountedAsync(api.Http, output);
        output.WriteLine($"{watchers.Sum(watcher => watcher.Answers)} answers, {watchers.Sum(watcher => watcher.Refused)} refused with 503");
    }

    [Fact(Explicit = true)]
    public async Task All_silos_die_and_come_back_with_nothing_sent_afterwards()
    {
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra);
        await using ApiProcess api = await cluster.StartApiAsync();
        await cluster.StartSilosAsync(2);
        var load = new Load(11);
        await load.DuringAsync(api.Http, async () =>
        {
            await Eventually.Async("some are counted", async () => await Answers.ClicksAsync(api.Http, "/v1/clicks/total?last=6h") > 2_000, TimeSpan.FromMinutes(1));
            foreach (ProgramProcess silo in cluster.Silos.ToArray())
            {
                cluster.Kill(silo);
            }

            int before = load.Accepted.Count;
            await Eventually.Async("clicks are accepted without silos", () => Task.FromResult(load.Accepted.Count > before + 1_000), TimeSpan.FromSeconds(30));
            Assert.Equal(200, (int)(await api.Http.GetAsync("/health/ready")).StatusCode);
        });
        await cluster.StartSilosAsync(2);
        await Answers.CountedUntilNowAsync(api.Http);
        await load.AssertCountedAsync(api.Http, output);
    }

    [Fact(Explicit = true)]
    public async Task Cassandra_is_cut_off_at_the_start_and_under_load_and_nothing_is_lost()
    {
        await cassandra.ContactPointsAsync();
        await using var proxy = new TcpProxy(cassandra.Port);
        await proxy.CutAsync();
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, proxy);
        ProgramProcess first = cluster.BeginSilo();
        // Of the settings, for those of the cluster are in Cassandra.
        string secret = "sk_" + new string('k', 43), hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));
        await using ApiProcess api = await cluster.StartApiAsync("--Keys:load:Scopes=ingest,read", $"--Keys:load:Hash={hash}");
        api.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        var load = new Load(12);
        await load.DuringAsync(api.Http, async () =>
        {
            await first.UntilItSaysAsync("waiting for Cassandra");
            proxy.Mend();
            await first.UntilItSaysAsync("  stop        Ctrl+C");
            for (int cut = 0; cut < 3; cut++)
            {
                long from = load.Accepted.Count;
                await Eventually.Async("the counting goes on", async () => await TotalAsync(api.Http) >= from, TimeSpan.FromMinutes(1));
                await proxy.CutAsync();
                await Task.Delay(cut * 4000); // for a moment, and for longer than a request may take
                Assert.Equal(200, (int)(await api.Http.GetAsync("/health/ready")).StatusCode);
                if (cut == 2)
                {
                    await Eventually.Async("whoever asks hears of the store", async () => await IsAwayAsync(api.Http), TimeSpan.FromSeconds(30));
                    await Eventually.Async(
                        "it is not ready for questions", async () => (int)(await api.Http.GetAsync("/health/ready/query")).StatusCode == 503, TimeSpan.FromSeconds(30));
                }

                proxy.Mend();
            }
        });
        Assert.DoesNotContain("CodecNotFoundException", api.Output + first.Output, StringComparison.Ordinal);
        Assert.InRange(first.Output.Split('\n').Length, 1, 3_000); // thousands of windows could not be read
        await Answers.CountedUntilNowAsync(api.Http);
        await load.AssertCountedAsync(api.Http, output);
    }

    private static async Task<bool> IsAwayAsync(HttpClient http)
    {
        using HttpResponseMessage answer = await http.GetAsync("/v1/clicks/total?last=6h");
        Assert.True((int)answer.StatusCode is 200 or 503, await answer.Content.ReadAsStringAsync());
        return (int)answer.StatusCode == 503
            && answer.Headers.RetryAfter is not null
            && (await answer.Content.ReadAsStringAsync()).Contains("store_unavailable", StringComparison.Ordinal);
    }

    private static async Task<long> TotalAsync(HttpClient http)
    {
        using HttpResponseMessage answer = await http.GetAsync("/v1/clicks/total?last=6h");
        if (!answer.IsSuccessStatusCode)
        {
            return -1;
        }

        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.GetProperty("clicks").GetInt64();
    }
}
