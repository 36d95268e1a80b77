using System.Globalization;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Streaming;
using ClickAggregator.Streaming.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>
/// Takes up a click log that is not the one the store was counted from: its clicks are counted beside the old ones, which
/// stay. Deliberate, because it counts a click again that is in both logs.
/// </summary>
internal sealed class AdoptLogCommand : ICommand
{
    public string Name => "adopt-log";

    public string Summary => "takes up another log beside what was counted (after log_replaced). The server has to be stopped";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new CommandOption("--log", "ID", "the new log's id, as the message log_replaced names it", Required: true),
        new CommandOption("--half-counted", "WHAT", "a batch of the old log that is half counted: \"refuse\" (the default), or \"give-up\", which notes it as lost"),
        new CommandOption("--other-rollups", "WHAT", "clicks are counted by a rollup that the setting Rollups does not have: \"refuse\" (the default), or \"switch-off\", which ends it"),
    ];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        string asked = input.Options["--log"];
        string halfCounted = input.Options.GetValueOrDefault("--half-counted", "refuse");
        if (halfCounted is not ("refuse" or "give-up"))
        {
            throw new UsageException($"--half-counted is refuse or give-up, not \"{halfCounted}\"");
        }

        string otherRollups = input.Options.GetValueOrDefault("--other-rollups", "refuse");
        if (otherRollups is not ("refuse" or "switch-off"))
        {
            throw new UsageException($"--other-rollups is refuse or switch-off, not \"{otherRollups}\"");
        }

        // Opening would make a log in a directory that was only mistyped.
        if (!File.Exists(Path.Combine(input.Settings.DataDirectory, "store.db")))
        {
            await input.Error.WriteLineAsync($"{input.Settings.DataDirectory} holds no store.db: there is nothing to adopt a log for");
            return ExitCodes.Failed;
        }

        try
        {
            await using PartitionedClickLog log = await PartitionedClickLog.OpenAsync(
                OpenLog.Options(input.Settings), TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
            if (!await SayRollupsAsync(input, otherRollups == "switch-off", cancellationToken))
            {
                return ExitCodes.Usage;
            }

            await using WebApplication app = CommandHost.OnData(input.Settings, log);
            await input.Output.WriteLineAsync("starts the counting on this data");
            await app.StartAsync(cancellationToken);
            IGrainFactory grains = app.Services.GetRequiredService<IGrainFactory>();
            int partitions = await app.Services.GetRequiredService<IPartitionLog>().GetPartitionCountAsync(cancellationToken);
            for (int partition = 0; partition < partitions; partition++)
            {
                AbandonedLog? left = await grains.GetGrain<IPartitionGrain>(partition).AdoptAsync(asked, halfCounted == "give-up");
                await input.Output.WriteLineAsync($"partition {partition}: counts the log {asked}");
                if (left is not null)
                {
                    await input.Output.WriteLineAsync(string.Create(
                        CultureInfo.InvariantCulture,
                        $"  the log {left.Log} was counted up to offset {left.CountedTo}: what it held from there on is in no count, and has to be sent again where it is gone"));
                }
            }

            await app.StopAsync(cancellationToken);
            return ExitCodes.Done;
        }
        catch (Exception error) when (error is LogUnusableException or StoreUnusableException or ChainStoppedException or KafkaLogException)
        {
            await input.Error.WriteLineAsync(error.Message);
            return ExitCodes.Failed;
        }
    }

    /// <summary>
    /// Whether clicks may be counted by the settings that were given: the counting starts with them, and what they lack is switched off. Then a
    /// range of it is answered no more until it is on again and rebuilt.
    /// </summary>
    private static async Task<bool> SayRollupsAsync(CommandInput input, bool mayEnd, CancellationToken cancellationToken)
    {
        IReadOnlyCollection<string> counted = (await CountedRollups.ReadAsync(new StatesInSqlite(Path.Combine(input.Settings.DataDirectory, "store.db")), cancellationToken)).InForce;
        string[] given = [.. input.Settings.Counting.Rollups.Select(rollup => rollup.ToString())];
        string[] ends = [.. counted.Except(given).Order(StringComparer.Ordinal)];
        string[] begins = [.. given.Except(counted)];
        if (ends.Length > 0 && !mayEnd)
        {
            await input.Error.WriteLineAsync(
                $"clicks are counted by {string.Join(", ", ends)}, and the setting Rollups has {string.Join(", ", given)}: that would switch it off, and its ranges would not be answered until it is on again and rebuilt. "
                + "Give the server's settings, or agree with --other-rollups switch-off. Nothing was done");
            return false;
        }

        if (ends.Length > 0)
        {
            await input.Output.WriteLineAsync($"switches off {string.Join(", ", ends)}: on again, it is answered from then on, and earlier once rebuild-rollup has made up for it");
        }

        if (counted.Count > 0 && begins.Length > 0)
        {
            await input.Output.WriteLineAsync($"switches on {string.Join(", ", begins)}, from the next full hour on");
        }

        return true;
    }
}
