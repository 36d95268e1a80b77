using System.Globalization;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Collect;
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
    ];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        string asked = input.Options["--log"];
        string halfCounted = input.Options.GetValueOrDefault("--half-counted", "refuse");
        if (halfCounted is not ("refuse" or "give-up"))
        {
            throw new UsageException($"--half-counted is refuse or give-up, not \"{halfCounted}\"");
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
}
