using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ClickAggregator.Bench.Load;

namespace ClickAggregator.Bench.Backlog;

/// <summary>From a full topic to counts in the store: how fast, at what cost, in how much memory.</summary>
internal sealed class BacklogRunner(BacklogOptions options)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var topic = new ClickTopic(options);
        var filling = Stopwatch.StartNew();
        await topic.FillAsync(cancellationToken);
        Console.WriteLine($"{options.Clicks:N0} clicks of {topic.Bytes / (double)options.Clicks:F0} bytes, {topic.Duplicates:N0} of them repeated, {filling.Elapsed.TotalSeconds:F0} s");

        string data = Directory.CreateTempSubdirectory("bench-backlog-").FullName;
        int port = FreePort();
        using Process api = Process.Start(new ProcessStartInfo("dotnet",
        [
            options.Api,
            $"--DataDirectory={data}",
            $"--urls=http://127.0.0.1:{port}",
            $"--Kafka:BootstrapServers={options.Brokers}",
            $"--Kafka:Topic={topic.Name}",
            .. options.Settings,
        ])
        { RedirectStandardOutput = true })!;
        _ = api.StandardOutput.ReadToEndAsync(cancellationToken);
        try
        {
            return await WatchAsync(api, new Uri($"http://127.0.0.1:{port}"), options.Clicks - topic.Duplicates, cancellationToken);
        }
        finally
        {
            if (!api.HasExited)
            {
                api.Kill();
            }

            await api.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(data, recursive: true);
            await topic.DeleteAsync();
        }
    }

    private async Task<int> WatchAsync(Process api, Uri url, long expected, CancellationToken cancellationToken)
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
            if (api.HasExited)
            {
                throw new InvalidOperationException($"Api ended with {api.ExitCode}");
            }

            if (Stopwatch.GetElapsedTime(started) > s_patience)
            {
                break;
            }

            api.Refresh();
            peak = Math.Max(peak, api.WorkingSet64);
            counted = await CountedAsync(http, cancellationToken) ?? counted;
            if (counted > 0 && first == 0)
            {
                // What came before is the start of a program, not the counting.
                first = Stopwatch.GetTimestamp();
                firstCpu = api.TotalProcessorTime;
                _firstCounted = counted;
            }

            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (seconds >= nextLine)
            {
                Console.WriteLine($"{seconds,5:F0} s  {counted,12:N0} counted  {api.WorkingSet64 / 1e6,6:N0} MB");
                nextLine += 5;
            }
        }

        api.Refresh();
        double all = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double counting = Stopwatch.GetElapsedTime(first).TotalSeconds;
        Console.WriteLine();
        Row("counted", $"{counted:N0} of {expected:N0}");
        Row("with the program's start", $"{all:F1} s: {options.Clicks / all:N0} clicks/s, {api.TotalProcessorTime.TotalMicroseconds / options.Clicks:F2} us of its CPU a click");
        Row("from the first count on", $"{counting:F1} s: {(expected - _firstCounted) / counting:N0} clicks/s, {(api.TotalProcessorTime - firstCpu).TotalMicroseconds / (expected - _firstCounted):F2} us of its CPU a click");
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

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void Row(string name, string value) => Console.WriteLine($"{name,-26} {value}");
}
