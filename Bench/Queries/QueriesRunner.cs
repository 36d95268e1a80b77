using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ClickAggregator.Bench.Backlog;
using ClickAggregator.Bench.Load;

namespace ClickAggregator.Bench.Queries;

/// <summary>The three main questions over months of data: from the programs' start on, and once they are warm.</summary>
internal sealed class QueriesRunner(QueriesOptions options)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        await new StoreFill(options).RunAsync(cancellationToken);
        Console.WriteLine($"filled: {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s");
        // The store knows the log that it counts: a kept one goes with a kept topic.
        var topic = new ClickTopic(options.Programs, options.Keep ? options.Keyspace : null);
        await topic.FillAsync(cancellationToken);
        try
        {
            started = Stopwatch.GetTimestamp();
            await using var programs = new CountingPrograms(options.Programs, topic.Name, options.Keyspace, options.Keep);
            using var http = new HttpClient { BaseAddress = programs.Url };
            await UntilReadyAsync(http, cancellationToken);
            Console.WriteLine($"ready for queries: {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s\n");
            var queries = new MainQueries(options.Programs);
            await queries.AskAsync(programs.Url, "cold", cancellationToken, first: 0);
            await queries.AskAsync(programs.Url, "warm", cancellationToken, first: 0);
            if (options.Rate > 0)
            {
                await AskUnderLoadAsync(queries, programs.Url, cancellationToken);
            }

            return await CheckAsync(http, cancellationToken) ? 0 : 1;
        }
        finally
        {
            await topic.DeleteAsync();
        }
    }

    private async Task AskUnderLoadAsync(MainQueries queries, Uri url, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<long> sending = Task.Run(() => SendAsync(url, stop.Token), cancellationToken);
        await queries.AskAsync(url, "busy", cancellationToken);
        await stop.CancelAsync();
        using var http = new HttpClient { BaseAddress = url };
        using var total = JsonDocument.Parse(await http.GetStringAsync(new Uri("/v1/clicks/total?last=20m", UriKind.Relative), cancellationToken));
        Console.WriteLine($"{await sending:N0} clicks were sent meanwhile, {total.RootElement.GetProperty("clicks").GetInt64():N0} of them counted when the last question was answered");
    }

    private async Task<long> SendAsync(Uri url, CancellationToken cancellationToken)
    {
        const int batch = 100;
        const int bodies = 100;
        var clicks = new ZipfClicks(options.Programs.Ads, batch, 0, bodies, seed: 3);
        using var http = new HttpLane(url);
        var random = new Random(3);
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds((double)batch / options.Rate));
        long sent = 0, id = Stopwatch.GetTimestamp(), repeated = 0;
        try
        {
            for (int n = 0; await pace.WaitForNextTickAsync(cancellationToken); n++)
            {
                if (await http.PostAsync("application/x-ndjson", clicks.Next(n % bodies, ref id, random, ref repeated), cancellationToken) == 202)
                {
                    sent += batch;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // All is asked.
        }

        return sent;
    }

    private static async Task UntilReadyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                using HttpResponseMessage answer = await http.GetAsync(new Uri("/health/ready/query", UriKind.Relative), cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>Whether a ranking of whole days is what was written.</summary>
    private async Task<bool> CheckAsync(HttpClient http, CancellationToken cancellationToken)
    {
        string body = await http.GetStringAsync(new Uri("/v1/ads/top?period=last_30_days&limit=100", UriKind.Relative), cancellationToken);
        using var json = JsonDocument.Parse(body);
        int first = (int)(DateTimeOffset.Parse(json.RootElement.GetProperty("from").GetString()!, CultureInfo.InvariantCulture).ToUnixTimeSeconds() / 86_400);
        var days = new MadeDays(options.Programs.Ads, options.DayClicks);
        (string, long)[] expected =
        [
            .. Enumerable.Range(0, options.Programs.Ads)
                .Select(ad => (Id: MadeDays.Id(ad), Clicks: Enumerable.Range(first, 30).Sum(day => days.QuartersOf(ad, day).Sum())))
                .OrderByDescending(ad => ad.Clicks).ThenBy(ad => ad.Id, StringComparer.Ordinal).Take(100),
        ];
        (string, long)[] found =
            [.. json.RootElement.GetProperty("items").EnumerateArray().Select(item => (item.GetProperty("id").GetString()!, item.GetProperty("clicks").GetInt64()))];
        bool right = expected.SequenceEqual(found);
        Console.WriteLine($"\nthe ranking of 30 whole days is {(right ? "right" : "WRONG")}, exact: {json.RootElement.GetProperty("exact").GetBoolean()}");
        return right;
    }
}
