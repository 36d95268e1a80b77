using System.Globalization;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>
/// Counts the log again, the click log or Kafka's topic, and holds the store against it, window by window; and holds the archive against
/// its own manifest, object by object.
/// </summary>
internal sealed class VerifyCommand : ICommand
{
    public string Name => "verify";

    public string Summary => "recounts the log and compares it with the store, and the archive with its manifest; exit code 1 if they differ. The server has to be stopped";

    public IReadOnlyList<CommandOption> Options => [];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(input.Settings.DataDirectory, "store.db")))
        {
            await input.Error.WriteLineAsync($"{input.Settings.DataDirectory} holds no store.db: there is nothing to verify");
            return ExitCodes.Failed;
        }

        try
        {
            await using PartitionedClickLog log = await PartitionedClickLog.OpenAsync(
                OpenLog.Options(input.Settings), TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
            await using SqliteStore store = SqliteStore.Open(SiloSetup.Store(input.Settings), NullLoggerFactory.Instance);
            using RecountedTopic? topic = input.Settings.Kafka is KafkaLogSettings kafka
                ? await RecountedTopic.OpenAsync(kafka.Silo.Clicks, cancellationToken)
                : null;
            var clicks = new RecountedClickLog(log);
            int counts = await CompareAsync(input, store, (IRecountLog?)topic ?? clicks, topic is null ? null : clicks, cancellationToken);
            return Math.Max(counts, await WalkArchiveAsync(input, cancellationToken));
        }
        catch (Exception error) when (error is LogUnusableException or StoreUnusableException or KafkaLogException or KafkaException or ArchiveUnavailableException or ArchiveDamagedException)
        {
            await input.Error.WriteLineAsync(error.Message);
            return ExitCodes.Failed;
        }
    }

    private static async Task<int> CompareAsync(
        CommandInput input, SqliteStore store, IRecountLog log, IRecountLog? before, CancellationToken cancellationToken)
    {
        IReadOnlyList<CountedPartition> all = await CountedPartitions.ReadAsync(store.Path, cancellationToken);
        VerifyPlan plan = await VerifyPlan.MakeAsync(all, log, before, leaveOutRemoved: before is not null, cancellationToken);
        if (plan.Parts.Count == 0 && all.Count > 0)
        {
            await input.Error.WriteLineAsync($"the store was counted from the log {all[0].Log}, and the log is {log.Id}: there is nothing to compare");
            return ExitCodes.Failed;
        }

        foreach (string remark in plan.Remarks)
        {
            await input.Error.WriteLineAsync(remark);
        }

        int[] others = [.. (await CountedPartitions.ReadNumbersAsync(store.Path, cancellationToken)).Except(plan.Parts.Select(part => part.Chain)).Order()];
        if (others.Length > 0)
        {
            await input.Error.WriteLineAsync($"windows of another log, that was counted before this one was adopted, are left out (chains {string.Join(", ", others)})");
        }

        RecountRules rules = RecountRules.Of(input.Settings.Counting) with { Counted = await CountedRollups.ReadAsync(store.Path, cancellationToken) };
        VerifyResult result = await new LogRecount(store.Counts, rules, input.Error.WriteLine, ledger: store.Ledger)
            .RunAsync(plan.Parts, cancellationToken);
        await input.Output.WriteLineAsync(result.ToString());
        foreach (string example in result.Examples)
        {
            await input.Output.WriteLineAsync("  " + example);
        }

        if (result.WindowsLeftOut > 0 || result.NoClicks > 0)
        {
            await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{result.WindowsLeftOut:N0} windows were left out, whose clicks the log does not have all of any more, or whose rollup is not whole there; {result.NoClicks:N0} records hold no click"));
        }

        if (result.WindowsCorrected > 0)
        {
            await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{result.WindowsCorrected:N0} windows were corrected by reconciliation, and held against its ledger; {result.WindowsClickedSince:N0} of them got clicks since, and were left out"));
        }

        return result.Agrees ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task<int> WalkArchiveAsync(CommandInput input, CancellationToken cancellationToken)
    {
        if (input.Settings.Archive.S3 is null && !Directory.Exists(input.Settings.Archive.Directory))
        {
            await input.Error.WriteLineAsync($"{input.Settings.Archive.Directory} is not there: nothing is archived yet");
            return ExitCodes.Done;
        }

        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(TimeProvider.System);
        input.Settings.Archive.AddTo(services);
        await using ServiceProvider provider = services.BuildServiceProvider();
        var verification = new ArchiveVerification(provider.GetRequiredService<IArchiveObjects>(), provider.GetRequiredService<IClickFiles>());
        int exit = ExitCodes.Done;
        await foreach (ArchiveChain chain in verification.FindChainsAsync(cancellationToken))
        {
            ArchiveReport report = await verification.WalkAsync(chain, cancellationToken);
            await input.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"archive of chain {chain.Number}: {report.Clicks:N0} clicks in {report.Objects:N0} objects, up to offset {report.Upto}, {report.Faults.Count + report.MoreFaults:N0} faults"));
            foreach (string fault in report.Faults)
            {
                await input.Output.WriteLineAsync("  " + fault);
            }

            foreach (string open in report.Open)
            {
                await input.Output.WriteLineAsync($"  {open} is not there, or not rewritten yet: the server finishes that when it runs again, unless it was deleted");
            }

            exit = report.Faults.Count > 0 ? ExitCodes.Failed : exit;
        }

        return exit;
    }
}
