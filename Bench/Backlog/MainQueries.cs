using System.Diagnostics;
using ClickAggregator.Bench.Load;

namespace ClickAggregator.Bench.Backlog;

/// <summary>The three main questions, of ads that are drawn as clicks draw them, one after the other on one connection.</summary>
internal sealed class MainQueries(BacklogOptions options)
{
    // Of a program that has just started: what it measures is the start, not the data.
    private const int First = 30;

    private static readonly (string Name, Func<int, string> Path)[] s_queries =
    [
        ("an ad, last 20 minutes", ad => $"/v1/ads/ad-{ad}/clicks?last=20m&granularity=minute"),
        ("100 ads most clicked, last 30 days", _ => "/v1/ads/top?last=30d&limit=100"),
        ("an ad, last 90 days", ad => $"/v1/ads/ad-{ad}/clicks?last=90d&granularity=day"),
    ];

    /// <summary>Asks each of them, and prints how long the answers took; without so many of the first.</summary>
    public async Task AskAsync(Uri url, string when, CancellationToken cancellationToken, int first = First)
    {
        using var http = new HttpLane(url);
        var random = new Random(7);
        var zipf = new ZipfRank(options.Ads);
        foreach ((string name, Func<int, string> path) in s_queries)
        {
            var times = new List<double>();
            for (int n = -first; n < options.Queries; n++)
            {
                long start = Stopwatch.GetTimestamp();
                string asked = path(zipf.Next(random));
                int status = await http.GetAsync(asked, cancellationToken);
                if (status != 200)
                {
                    throw new InvalidOperationException($"{asked}: {status}: {http.Body}");
                }

                if (n >= 0)
                {
                    times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
            }

            Console.WriteLine($"{name,-36} {when,-5} {Percentiles.Of(times)}");
        }
    }
}
