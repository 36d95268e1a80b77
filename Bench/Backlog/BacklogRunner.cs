using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ClickAggregator.Bench.Load;

namespace ClickAggregator.Bench.Backlog;

/// <summary>From a full topic to counts in the store: how fast, at what cost, in how much memory.</summary>
internal sealed class BacklogRunner(BacklogOptions options)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var topic = new ClickTopic(options);
        var filling = Stopwatch.StartNew();
        await topic.FillAsync(cancellationToken);
        Console.WriteLine($"{options.Clicks:N0} clicks of {topic.Bytes / (double)options.Clicks:F0} bytes, {topic.Duplicates:N0} of them repeated, {filling.Elapsed.TotalSeconds:F0} s");

        try
        {
            await using var programs = new CountingPrograms(options, topic.Name);
            int code = await WatchAsync(programs.Counting, programs.Url, options.Clicks - topic.Duplicates, cancellationToken);
            if (options.Queries > 0)
            {
                await AskAsync(programs, options.Clicks - topic.Duplicates, cancellationToken);
            }

            return code;
        }
        finally
        {
            await topic.DeleteAsync();
        }
    }

    private async Task AskAsync(CountingPrograms programs, long expected, CancellationToken cancellationToken)
    {
        var queries = new MainQueries(options);
        Console.WriteLine();
        await queries.AskAsync(programs.Url, "warm", cancellationToken);
        await programs.RestartAsync();
        using var http = new HttpClient { BaseAddress = programs.Url };
        while (await CountedAsync(http, cancellationToken) != expected)
        {
            await Task.Delay(100, cancellationToken);
        }

        await queries.AskAsync(programs.Url, "cold", cancellationToken);
    }

    private async Task<int> WatchAsync(Process program, Uri url, long expected, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = url };
        long started = Stopwatch.GetTimestamp();
        long counted = 0;
        long peak = 0;
        long first = 0;
        double nextLine = 5;
        TimeSpan firstCpu = default;
        while (counted < expected)
        {
            await Task.Delay(50, cancellationToken);
            if (program.HasExited)
            {
                throw new InvalidOperationException($"what counts ended with {program.ExitCode}");
            }

            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromMinutes(options.Patience))
            {
                break;
            }

            program.Refresh();
            peak = Math.Max(peak, program.WorkingSet64);
            counted = await CountedAsync(http, cancellationToken) ?? counted;
            if (counted > 0 && first == 0)
            {
                // What came before is the start of a program, not the counting.
                first = Stopwatch.GetTimestamp();
                firstCpu = program.TotalProcessorTime;
                _firstCounted = counted;
            }

            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (seconds >= nextLine)
            {
                Console.WriteLine($"{seconds,5:F0} s  {counted,12:N0} counted  {program.WorkingSet64 / 1e6,6:N0} MB");
                nextLine += 5;
            }
        }

        program.Refresh();
        double all = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double counting = Stopwatch.GetElapsedTime(first).TotalSeconds;
        Console.WriteLine();
        Row("counted", $"{counted:N0} of {expected:N0}");
        Row("with the program's start", $"{all:F1} s: {options.Clicks / all:N0} clicks/s, {program.TotalProcessorTime.TotalMicroseconds / options.Clicks:F2} us of its CPU a click");
        Row("from the first count on", $"{counting:F1} s: {(expected - _firstCounted) / counting:N0} clicks/s, {(program.TotalProcessorTime - firstCpu).TotalMicroseconds / (expected - _firstCounted):F2} us of its CPU a click");
        Row("memory", $"{peak / 1e6:N0} MB at most");
        return counted == expected ? 0 : 1;
    }

    private long _firstCounted;

    /// <summary>What the total says; null while nobody answers.</summary>
    private async Task<long?> CountedAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            int hours = (options.Span / 3600) + 2;
            using HttpResponseMessage answer = await http.GetAsync(
                new Uri(string.Create(CultureInfo.InvariantCulture, $"/v1/clicks/total?last={hours}h"), UriKind.Relative), cancellationToken);
            if (!answer.IsSuccessStatusCode)
            {
                return null;
            }

            using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(cancellationToken));
            return json.RootElement.GetProperty("clicks").GetInt64();
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static void Row(string name, string value) => Console.WriteLine($"{name,-26} {value}");
}
