using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace ClickAggregator.Bench.Load;

/// <summary>Sends, asks, and prints what it saw: a line every five seconds, and a table at the end.</summary>
internal sealed class LoadRunner(LoadOptions options)
{
    private long _accepted;
    private long _duplicates;
    private long _refused;
    private long _requests;
    private readonly List<double> _sendMs = [];
    private readonly Dictionary<string, List<double>> _queryMs = [];
    private readonly List<double> _probeMs = [];

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        int lanes = options.ConnectionsOrDefault;
        // Several bodies a lane, so that one lane does not send the same thousand ads all the time.
        int bodiesPerLane = options.Batch == 1 ? 1000 : options.Ads > 100_000 ? 128 : 16;
        var clicks = new ZipfClicks(options.Ads, options.Batch, options.Duplicates, lanes * bodiesPerLane, seed: 1);
        ProcessAccount? account = options.Pid is int pid ? new ProcessAccount(pid) : null;
        Console.WriteLine($"{options.Ads:N0} ads, {clicks.AverageBytes:F0} bytes a click, {options.Batch} clicks a request, {lanes} connections");

        long before = await CountedAsync(cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = Stopwatch.StartNew();
        _watch = watch;
        var tasks = new List<Task>();
        for (int lane = 0; lane < lanes; lane++)
        {
            int number = lane;
            tasks.Add(Task.Run(() => SendAsync(number, lanes, bodiesPerLane, clicks, watch, cancellationToken), cancellationToken));
        }

        using var beside = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asking = new List<Task>();
        if (options.Queries > 0)
        {
            asking.Add(Task.Run(() => AskAsync(beside.Token), cancellationToken));
        }

        if (options.Probe)
        {
            asking.Add(Task.Run(() => ProbeAsync(beside.Token, cancellationToken), cancellationToken));
        }

        Task report = Task.Run(() => ReportAsync(watch, account, stop.Token), cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(options.Warmup), cancellationToken);
        long warm = Interlocked.Read(ref _accepted);
        double began = watch.Elapsed.TotalSeconds;
        TimeSpan ownCpu = Process.GetCurrentProcess().TotalProcessorTime;
        TimeSpan serverCpu = account?.Cpu ?? default;
        await Task.WhenAll(tasks);
        double sent = watch.Elapsed.TotalSeconds;
        long measured = _accepted - warm;

        // Beside the load, not after it; and a probe's click that comes later would not be in the sum.
        await beside.CancelAsync();
        await Task.WhenAll(asking);
        long expected = before + _accepted - _duplicates;
        long counted;
        while ((counted = await CountedAsync(cancellationToken)) < expected && watch.Elapsed.TotalSeconds < sent + 60)
        {
            await Task.Delay(20, cancellationToken);
        }

        double until = watch.Elapsed.TotalSeconds;
        TimeSpan own = Process.GetCurrentProcess().TotalProcessorTime - ownCpu;
        await stop.CancelAsync();
        await report;

        Console.WriteLine();
        Row("accepted", $"{measured:N0} clicks in {sent - began:F1} s: {measured / (sent - began):N0} clicks/s{(options.Warmup > 0 ? $", after {warm:N0} in {began:F0} s to warm up" : "")}");
        Row("counted and queryable", $"{counted - before:N0} of {expected - before:N0} ({_duplicates:N0} duplicates) {until - sent:F1} s after the last was sent: {measured / (until - began):N0} clicks/s");
        Row("refused (429, 503)", $"{_refused:N0} of {_requests:N0} requests");
        Row("a request", Percentiles.Of(_sendMs));
        if (account is not null)
        {
            Row("server CPU", $"{(account.Cpu - serverCpu).TotalMicroseconds / Math.Max(1, measured):F2} us a click, {(account.Cpu - serverCpu).TotalSeconds / (until - began):F2} cores");
            Row("server memory", $"{account.Memory / 1e6:N0} MB at the end, {_peak / 1e6:N0} MB at most");
        }

        Row("generator CPU", $"{own.TotalMicroseconds / Math.Max(1, measured):F2} us a click");
        foreach ((string query, List<double> times) in _queryMs)
        {
            Row(query, Percentiles.Of(times));
        }

        if (options.Probe)
        {
            Row("click to query", Percentiles.Of(_probeMs));
        }

        return counted == expected ? 0 : 1;
    }

    private long _peak;
    private Stopwatch _watch = new();

    /// <summary>Whether the warm-up is over.</summary>
    private bool IsMeasured => _watch.Elapsed.TotalSeconds >= options.Warmup;

    private void Note(List<double> times, long start)
    {
        if (IsMeasured)
        {
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }

    private async Task SendAsync(int lane, int lanes, int bodiesPerLane, ZipfClicks clicks, Stopwatch watch, CancellationToken cancellationToken)
    {
        using var http = new HttpLane(options.Url);
        var random = new Random(lane);
        long nextId = (Stopwatch.GetTimestamp() % 1_000_000) * 1_000_000_000_000 + (lane * 10_000_000_000L);
        string type = options.Batch == 1 ? "application/json" : "application/x-ndjson";
        var times = new List<double>();
        long sent = 0;
        double perSecond = options.Rate / (double)lanes;
        for (int n = 0; watch.Elapsed.TotalSeconds < options.Warmup + options.Seconds; n++)
        {
            if (options.Rate > 0)
            {
                double due = (sent / perSecond) - watch.Elapsed.TotalSeconds;
                if (due > 0.001)
                {
                    await Task.Delay(TimeSpan.FromSeconds(due), cancellationToken);
                }
            }

            long duplicates = 0;
            byte[] body = clicks.Next((lane * bodiesPerLane) + (n % bodiesPerLane), ref nextId, random, ref duplicates);
            long start = Stopwatch.GetTimestamp();
            int status;
            while ((status = await http.PostAsync(type, body, cancellationToken)) is 429 or 503)
            {
                Interlocked.Increment(ref _refused);
                await Task.Delay(20, cancellationToken);
            }

            if (status != 202)
            {
                throw new InvalidOperationException($"{status}: {http.Body}");
            }

            Note(times, start);
            sent += options.Batch;
            Interlocked.Add(ref _accepted, options.Batch);
            Interlocked.Add(ref _duplicates, duplicates);
            Interlocked.Increment(ref _requests);
        }

        lock (_sendMs)
        {
            _sendMs.AddRange(times);
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        (string Name, string Path)[] queries =
        [
            ("total, last 20 minutes", "/v1/clicks/total?last=20m"),
            ("total, last 30 days", "/v1/clicks/total?last=30d"),
            ("one ad, last 90 days", "/v1/ads/ad-7/clicks?last=90d"),
        ];
        using var http = new HttpLane(options.Url);
        try
        {
            for (int n = 0; !cancellationToken.IsCancellationRequested; n++)
            {
                (string name, string path) = queries[n % queries.Length];
                long start = Stopwatch.GetTimestamp();
                int status = await http.GetAsync(path, cancellationToken);
                if (status != 200)
                {
                    throw new InvalidOperationException($"{path}: {status}: {http.Body}");
                }

                Note(Times(name), start);
                await Task.Delay(TimeSpan.FromSeconds(1.0 / options.Queries), cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    private List<double> Times(string name)
    {
        if (!_queryMs.TryGetValue(name, out List<double>? times))
        {
            _queryMs[name] = times = [];
        }

        return times;
    }

    private async Task ProbeAsync(CancellationToken cancellationToken, CancellationToken abort)
    {
        using var post = new HttpLane(options.Url);
        using var ask = new HttpLane(options.Url);
        try
        {
            for (int n = 0; !cancellationToken.IsCancellationRequested; n++)
            {
                string ad = string.Create(CultureInfo.InvariantCulture, $"probe-{Stopwatch.GetTimestamp()}");
                long start = Stopwatch.GetTimestamp();
                if (await post.PostAsync("application/json", System.Text.Encoding.ASCII.GetBytes($"{{\"ad_id\":\"{ad}\"}}"), abort) != 202)
                {
                    continue;
                }

                Interlocked.Increment(ref _accepted);
                do
                {
                    await Task.Delay(5, cancellationToken);
                    await ask.GetAsync($"/v1/ads/{ad}/clicks?last=20m", cancellationToken);
                }
                while (Clicks(ask.Body) == 0);
                Note(_probeMs, start);
                await Task.Delay(97, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    private async Task<long> CountedAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpLane(options.Url);
        int status = await http.GetAsync("/v1/clicks/total?last=6h", cancellationToken);
        return status == 200 ? Clicks(http.Body) : throw new InvalidOperationException($"{status}: {http.Body}");
    }

    private static long Clicks(string body)
    {
        int from = body.IndexOf('{', StringComparison.Ordinal);
        int to = body.LastIndexOf('}');
        using var json = JsonDocument.Parse(body.AsMemory(from, to - from + 1));
        return json.RootElement.GetProperty("clicks").GetInt64();
    }

    private async Task ReportAsync(Stopwatch watch, ProcessAccount? account, CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5));
            long last = 0;
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                long now = Interlocked.Read(ref _accepted);
                _peak = Math.Max(_peak, account?.Memory ?? 0);
                Console.WriteLine($"{watch.Elapsed.TotalSeconds,5:F0} s  {(now - last) / 5,9:N0} clicks/s accepted{(account is null ? "" : $"  {account.Memory / 1e6,6:N0} MB")}");
                last = now;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    private static void Row(string name, string value) => Console.WriteLine($"{name,-24} {value}");
}
