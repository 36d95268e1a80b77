using ClickAggregator.Adapters.ClickLog;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>Counts the click log of a data directory again and holds its store against it, window by window.</summary>
internal sealed class VerifyCommand : ICommand
{
    public string Name => "verify";

    public string Summary => "recounts the log and compares it with the store; exit code 1 if they differ. The server has to be stopped";

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
            IReadOnlyList<CountedPartition> all = await CountedPartitions.ReadAsync(store.Path, cancellationToken);
            CountedPartition[] partitions = [.. all.Where(counted => counted.Log == log.LogId.ToString())];
            if (partitions.Length == 0 && all.Count > 0)
            {
                await input.Error.WriteLineAsync($"the store was counted from the log {all[0].Log}, and the log is {log.LogId}: there is nothing to compare");
                return ExitCodes.Failed;
            }

            for (int partition = 0; partition < log.Partitions; partition++)
            {
                (long start, long end) = log.GetRange(partition);
                if (start > 0)
                {
                    await input.Error.WriteLineAsync(
                        $"partition {partition}: the log starts at offset {start}; clicks before it were counted and removed, and windows that hold such clicks will differ");
                }

                long next = partitions.FirstOrDefault(counted => counted.Partition == partition)?.Next ?? 0;
                if (next < end)
                {
                    await input.Error.WriteLineAsync($"partition {partition}: {end - next} records are not counted yet; they are left out");
                }
            }

            IReadOnlySet<int> earlier = await CountedPartitions.ReadEarlierAsync(store.Path, partitions, cancellationToken);
            if (earlier.Count > 0)
            {
                await input.Error.WriteLineAsync($"windows of another log, that was counted before this one was adopted, are left out (chains {string.Join(", ", earlier.Order())})");
            }

            var recount = new LogRecount(new ClickLogPartitionLog(log), store.Counts, RecountRules.Of(input.Settings.Counting), earlier);
            VerifyResult result = await recount.RunAsync(partitions, cancellationToken);
            await input.Output.WriteLineAsync(result.ToString());
            foreach (string example in result.Examples)
            {
                await input.Output.WriteLineAsync("  " + example);
            }

            return result.Agrees ? ExitCodes.Done : ExitCodes.Failed;
        }
        catch (Exception error) when (error is LogUnusableException or StoreUnusableException)
        {
            await input.Error.WriteLineAsync(error.Message);
            return ExitCodes.Failed;
        }
    }
}
