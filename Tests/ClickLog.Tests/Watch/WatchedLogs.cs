using System.Text;
using System.Text.Json;
using ClickAggregator.ClickLog.Watch;
using ClickAggregator.Clicks;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.ClickLog.Tests.Watch;

/// <summary>A folder of log files, a watcher on them, and the click log that it fills; all of it real.</summary>
internal sealed class WatchedLogs(params string[] patterns) : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("watch-tests-").FullName;
    private PartitionedClickLog? _log;
    private LogWatcher? _watcher;
    private Task _running = Task.CompletedTask;
    private CancellationTokenSource _stop = new();

    public string Data => Path.Combine(_root, "data");

    public LogWatcher Watcher => _watcher!;

    public string File(string name)
    {
        string folder = Path.Combine(_root, "logs");
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, name);
    }

    public static string Line(int id) => $$"""{"click_id":"c{{id}}","ad_id":"ad-{{id % 17}}","timestamp":1760000000000}""" + "\n";

    public static string Lines(int from, int count) => string.Concat(Enumerable.Range(from, count).Select(Line));

    public void Append(string name, string text) => System.IO.File.AppendAllText(File(name), text);

    public async Task StartAsync(Func<WatchOptions, WatchOptions>? change = null)
    {
        _log = await PartitionedClickLog.OpenAsync(
            new ClickLogOptions { Directory = Data, Partitions = 4 }, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        var options = new WatchOptions
        {
            Patterns = [.. patterns.Select(File)],
            DeadLetterDirectory = Path.Combine(Data, "dead-letters"),
            PollInterval = TimeSpan.FromMilliseconds(2),
            MatchInterval = TimeSpan.FromMilliseconds(5),
            QuietTime = TimeSpan.FromMilliseconds(200),
            LeaveAfter = TimeSpan.FromMilliseconds(300),
        };
        _watcher = new LogWatcher(_log, change?.Invoke(options) ?? options, TimeProvider.System, NullLogger<LogWatcher>.Instance);
        _stop = new CancellationTokenSource();
        _running = Task.Run(() => _watcher.RunAsync(_stop.Token), CancellationToken.None);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _watcher?.Dispose();
        if (_log is not null)
        {
            await _log.DisposeAsync();
        }

        (_watcher, _log) = (null, null);
        _stop.Dispose();
    }

    /// <summary>The ids of all clicks in the log, as often as they are there, in order.</summary>
    public List<string> Ids()
    {
        var ids = new List<string>();
        for (int partition = 0; partition < 4; partition++)
        {
            (long start, long end) = _log!.GetRange(partition);
            using ClickLogReader reader = _log.OpenReader(partition, start);
            while (reader.Position < end && reader.Read(1 << 20, end) is { } chunk)
            {
                foreach (LogRecord record in chunk.Records.AsSpan(0, chunk.Count))
                {
                    Assert.True(ClickRecord.TryRead(chunk.Value(record), out Click click));
                    ids.Add(Encoding.UTF8.GetString(click.ClickId));
                }

                chunk.Return();
            }
        }

        ids.Sort(StringComparer.Ordinal);
        return ids;
    }

    /// <summary>Waits until the log has that many clicks, and then says which.</summary>
    public async Task<List<string>> UntilAsync(int clicks)
    {
        await UntilAsync($"{clicks} clicks are in the log", () => Count() >= clicks);
        return Ids();
    }

    public async Task UntilAsync(string what, Func<bool> condition)
    {
        DateTimeOffset end = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(60);
        while (!condition())
        {
            Assert.False(_running.IsFaulted, _running.Exception?.ToString());
            Assert.True(TimeProvider.System.GetUtcNow() < end,
                $"not within 60 s: {what}; {Count()} clicks; {string.Join("; ", Watcher.Status)}");
            await Task.Delay(5);
        }
    }

    /// <summary>Waits until nothing that is in the files is left to read.</summary>
    public async Task CaughtUpAsync(int files) => await UntilAsync(
        $"{files} files are read to their end",
        () => Watcher.Status.Count == files && Watcher.Status.All(file => file.State == "at end" && file.BytesBehind == 0));

    public static List<string> Expected(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(id => $"c{id}").Order(StringComparer.Ordinal)];

    public List<JsonElement> DeadLetters() => Directory.Exists(Path.Combine(Data, "dead-letters"))
        ? [.. Directory.GetFiles(Path.Combine(Data, "dead-letters")).SelectMany(System.IO.File.ReadAllLines).Select(line => JsonDocument.Parse(line).RootElement)]
        : [];

    public async ValueTask DisposeAsync()
    {
        if (_watcher is not null)
        {
            await StopAsync();
        }

        Directory.Delete(_root, recursive: true);
    }

    private long Count() => Enumerable.Range(0, 4).Sum(partition => _log!.GetRange(partition).End);
}
