using System.Globalization;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>
/// Three brokers, three nodes of Cassandra, three silos, of which one after the other dies. Takes ten minutes and 8 GB, and so is run by
/// name: <c>dotnet run --project Tests/System.Tests -- -explicit only -class '*.ThreeOfEachTests'</c>.
/// </summary>
public class ThreeOfEachTests(ITestOutputHelper output)
{
    private const int Made = 1_000_000;
    private const int OfEach = 3;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    [Fact(Explicit = true)]
    public async Task Whatever_dies_in_turn_no_answer_is_wrong_and_in_the_end_all_are_those_of_the_recount()
    {
        int seed = int.Parse(Environment.GetEnvironmentVariable("CLICKS_SEED") ?? $"{Environment.TickCount}", CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] made = [.. MadeLines(random)];
        await using ServerScript? servers = ServerScript.New();
        Assert.SkipWhen(servers is null, "no servers script here: set CLICKS_SERVERS to its folder");
        await StartServersAsync(servers);
        await using ClusterPrograms cluster = ClusterPrograms.New(servers, OfEach);
        await using (ApiProcess api = await StartAsync(cluster))
        {
            var real = new Sending(RealClicks.Lines);
            var generated = new Sending(made);
            Watcher[] watchers =
            [
                new(api.Http, $"/v1/clicks/total?{RealClicks.Range}", real.Begun),
                new(api.Http, "/v1/clicks/total?last=24h", generated.Begun),
                new(api.Http, "/v1/ads/ad-1/clicks?last=24h", generated.Begun),
                new(api.Http, "/v1/ads/clicks?last=24h", generated.Begun),
            ];
            using var stop = new CancellationTokenSource();
            Task[] watching = [.. watchers.Select(watcher => watcher.WatchAsync(stop.Token))];
            Task sending = Task.WhenAll(real.SendAsync(api.Http), generated.SendAsync(api.Http));
            for (int round = 0; round < 4 || !sending.IsCompleted; round++)
            {
                await DisturbAsync(round);
            }

            await sending;
            await stop.CancelAsync();
            await Task.WhenAll(watching);
            output.WriteLine($"{watchers.Sum(watcher => watcher.Answers)} answers, none above what was sent, none back; {Refused()} were 503");

            // One of each kind is away, and the others go on.
            async Task DisturbAsync(int round)
            {
                int which = random.Next(1, OfEach + 1);
                int refused = Refused();
                ProgramProcess silo = cluster.Silos[which - 1];
                string what;
                switch (round % 4)
                {
                    case 0:
                        what = $"node {which} killed";
                        await servers.SignalAsync("KILL", "cassandra", which);
                        await GoesOnAsync();
                        await servers.StartCassandraAsync(OfEach);
                        break;
                    case 1:
                        what = $"silo {silo.Id} killed";
                        cluster.Kill(silo);
                        await GoesOnAsync();
                        break;
                    case 3:
                        what = $"broker {which} killed";
                        await servers.SignalAsync("KILL", "kafka", which);
                        await GoesOnAsync();
                        await servers.StartKafkaAsync(OfEach);
                        break;
                    default:
                        what = $"silo {silo.Id} stopped past its lease, and continued";
                        silo.Signal(19);
                        await Task.Delay(TimeSpan.FromSeconds(20)); // past what the others wait before they declare it dead
                        await GoesOnAsync();
                        silo.Signal(18);
                        await silo.WaitForExitAsync(TimeSpan.FromMinutes(2)); // it learns that it was declared dead
                        cluster.Kill(silo);
                        break;
                }

                await cluster.StartSilosAsync(OfEach - cluster.Silos.Count);
                output.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss} {what}: {Refused() - refused} answers 503; {real.Begun() + generated.Begun():N0} sent, {watchers[0].Last + watchers[1].Last:N0} counted");
            }

            int Refused() => watchers.Sum(watcher => watcher.Refused);

            Task GoesOnAsync()
            {
                long sent = real.Begun() + generated.Begun();
                return Eventually.Async("the counting goes on", () => Task.FromResult(watchers[0].Last + watchers[1].Last >= sent), TimeSpan.FromMinutes(3));
            }
        }

        // All at once, and nothing is sent afterwards.
        foreach (ProgramProcess silo in cluster.Silos.ToArray())
        {
            cluster.Kill(silo);
        }

        await servers.StopAsync();
        await StartServersAsync(servers);
        await using ApiProcess again = await StartAsync(cluster);
        await Answers.CountedUntilNowAsync(again.Http, s_patience);
        foreach (IReadOnlyList<string> lines in new[] { RealClicks.Lines, made })
        {
            var recount = Recount.Of(lines);
            await Answers.AgreeAsync(again.Http, recount, eachHour: true);
            output.WriteLine($"{recount.Total:N0} clicks of {recount.ByAd.Count:N0} ads in {recount.ByAdMinute.Count:N0} minutes are those of the recount");
        }
    }

    private static async Task StartServersAsync(ServerScript servers)
    {
        await servers.StartKafkaAsync(OfEach);
        await servers.StartCassandraAsync(OfEach);
    }

    private static async Task<ApiProcess> StartAsync(ClusterPrograms cluster)
    {
        await cluster.StartSilosAsync(OfEach);
        return await cluster.StartApiAsync();
    }

    // Of the last three hours; an ad is clicked the more, the lower its number.
    private static IEnumerable<string> MadeLines(Random random)
    {
        long end = TimeProvider.System.GetUtcNow().AddHours(-1).ToUnixTimeMilliseconds();
        for (int n = 0; n < Made; n++)
        {
            int ad = (int)(800 * Math.Pow(random.NextDouble(), 3));
            long at = end - random.NextInt64(3 * 3_600_000);
            yield return string.Create(
                CultureInfo.InvariantCulture, $"{{\"click_id\":\"m-{n}\",\"ad_id\":\"ad-{ad}\",\"campaign_id\":\"c-{ad % 20}\",\"country\":\"US\",\"timestamp\":{at}}}");
        }
    }

    /// <summary>Lines on their way, and how many of them are at most with the program.</summary>
    private sealed class Sending(IReadOnlyList<string> lines)
    {
        private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(250);
        private long _begun;

        public long Begun() => Volatile.Read(ref _begun);

        public async Task SendAsync(HttpClient http)
        {
            foreach (string[] some in lines.Chunk(lines.Count / 1000))
            {
                Interlocked.Add(ref _begun, some.Length);
                await RealClicksTests.SendAsync(http, some);
                await Task.Delay(s_pause);
            }
        }
    }
}
