using System.Diagnostics;
using System.Globalization;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Api.Demo;

/// <summary>
/// The demonstration: fills 90 days with clicks grown from real ones, recounts the log, then clicks on live, with a
/// spike every few minutes. All of it goes through the click log and is counted like anybody's clicks.
/// </summary>
internal sealed class DemoService(
    PartitionedClickLog log,
    ICountReader counts,
    ProgressBoard board,
    SourceProgress sources,
    ApiSettings settings,
    TimeProvider time,
    IHostApplicationLifetime lifetime) : BackgroundService
{
    private const int Days = 90;
    private const int ClicksPerHour = 1_400;
    private const int LivePerSecond = 100;
    private const int SpikePerSecond = 2_000;
    private static readonly TimeSpan SpikeEvery = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan SpikeFor = TimeSpan.FromSeconds(10);

    private string FilledFile => Path.Combine(settings.DataDirectory, "demo-filled");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await StartedAsync(stoppingToken);
            var clicks = new DemoClicks(ClickSample.Load(), seed: 2013);
            if (!File.Exists(FilledFile))
            {
                await FillAsync(clicks, stoppingToken);
            }

            // Clicks go on while it recounts: whoever starts the demo again does not wait minutes for a living page.
            await CountedAsync(stoppingToken);
            Task live = LiveAsync(clicks, stoppingToken);
            await RecountAsync(stoppingToken);
            await live;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The program is asked to stop.
        }
    }

    private async Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// A fill that was killed begins again: the same hours get the same ids, and those that were counted within the
    /// duplicates' horizon are not counted again.
    /// </summary>
    private async Task FillAsync(DemoClicks clicks, CancellationToken cancellationToken)
    {
        long thisHour = time.GetUtcNow().ToUnixTimeSeconds() / 3600;
        long firstHour = thisHour - (Days * 24);
        long all = (long)Days * 24 * ClicksPerHour;
        long before = Counted();
        long appended = 0;
        long printed = 0;
        var watch = Stopwatch.StartNew();
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        using var batch = new ClickBatch(log.Partitions);
        for (long hour = firstHour; hour < thisHour; hour++)
        {
            clicks.AddHour(batch, hour, ClicksPerHour);
            await log.AppendAsync(batch, cancellationToken);
            appended += batch.Count;
            batch.Clear();

            // Not far ahead of the counting: what is printed is what is counted.
            while (appended - (Counted() - before) > 200_000)
            {
                await Task.Delay(20, cancellationToken);
            }

            if (watch.Elapsed.TotalSeconds - printed >= 2)
            {
                printed = (long)watch.Elapsed.TotalSeconds;
                Print(Counted() - before);
            }
        }

        await CountedAsync(cancellationToken);
        Print(Counted() - before);
        await File.WriteAllTextAsync(FilledFile, all.ToString(CultureInfo.InvariantCulture), cancellationToken);

        void Print(long counted)
        {
            double rate = counted / Math.Max(0.001, watch.Elapsed.TotalSeconds);
            double microseconds = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / Math.Max(1, counted);
            double left = (all - counted) / Math.Max(1, rate);
            Say($"filling {Days} days: {counted,9:N0} of {all:N0} clicks counted, {rate,7:N0}/s, {microseconds:F1} us of CPU a click, {left:F0} s left");
        }
    }

    private async Task RecountAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<CountedPartition> counted = await CountedPartitions.ReadAsync(new StatesInSqlite(Path.Combine(settings.DataDirectory, "store.db")), cancellationToken);
        using RecountedTopic? topic = settings.Kafka is KafkaLogSettings kafka ? await RecountedTopic.OpenAsync(kafka.Silo.Clicks, cancellationToken) : null;
        var clicks = new RecountedClickLog(log);
        VerifyPlan plan = await VerifyPlan.MakeAsync(counted, (IRecountLog?)topic ?? clicks, topic is null ? null : clicks, leaveOutRemoved: topic is not null, archives: null, cancellationToken);
        VerifyResult result = await new LogRecount(counts, RecountRules.Of(settings.Counting), line => Say("recounting the log: " + line)).RunAsync(plan.Parts, cancellationToken);
        Say(result.ToString());
        foreach (string example in result.Examples)
        {
            Say("  " + example);
        }
    }

    private async Task LiveAsync(DemoClicks clicks, CancellationToken cancellationToken)
    {
        Say($"live: about {LivePerSecond} clicks a second, and {SpikePerSecond:N0} for {SpikeFor.TotalSeconds:F0} s every {SpikeEvery.TotalMinutes:F0} minutes");
        var random = new Random();
        using var batch = new ClickBatch(log.Partitions);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), time);
        long start = time.GetTimestamp();
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            TimeSpan since = time.GetElapsedTime(start);
            bool spike = since > SpikeEvery && since.Ticks % SpikeEvery.Ticks < SpikeFor.Ticks;
            int some = (spike ? SpikePerSecond : LivePerSecond) / 10;
            for (int n = random.Next(some / 2, (some * 3 / 2) + 1); n > 0; n--)
            {
                clicks.AddLive(batch, time.GetUtcNow().ToUnixTimeMilliseconds(), random);
            }

            await log.AppendAsync(batch, cancellationToken);
            batch.Clear();
        }
    }

    private long Counted() => board.Snapshot().Sum(partition => partition.Next);

    /// <summary>Waits until everything that was appended before now is counted, through Kafka or not.</summary>
    private async Task CountedAsync(CancellationToken cancellationToken)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        while (true)
        {
            IReadOnlyList<PartitionProgress> posted = board.Snapshot();
            if (posted.Count >= log.Partitions
                && posted.All(partition => partition.State == PartitionState.Counting)
                && sources.Until(posted.Min(partition => partition.CountedUntil)) > now)
            {
                return;
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    private static void Say(string line) => Console.Out.WriteLine(line);
}
