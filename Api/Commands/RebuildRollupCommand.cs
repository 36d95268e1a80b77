using System.Globalization;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Cluster;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Ledger;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Silo.Settings;
using ClickAggregator.Streaming;
using ClickAggregator.Streaming.Kafka;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>
/// Makes up from the archive for the time before a rollup was switched on: by a run of reconciliation, of a silo of its own on a
/// data directory whose server is stopped, or of a cluster's silos. It only waits for the run: where it is ended, the run goes on
/// with the silos that there are, and the same command waits for it again.
/// </summary>
internal sealed class RebuildRollupCommand : ICommand
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_say = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    public string Name => "rebuild-rollup";

    public string Summary => "makes up from the archive for the time before a rollup was switched on; exit code 1 if some hour could not be. In a cluster the silos do it; else the server has to be stopped";

    public string? Remark =>
        "A server that runs does it, too: POST /v1/reconciliations with {\"rollup\":\"target|country\"}. Hours that clicks still come to get a run of their own, later.\n"
        + "Give it the server's settings, with the rollup among Rollups; for a cluster Kafka:BootstrapServers and Cassandra:ContactPoints.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new CommandOption("ROLLUP", "ROLLUP", "the rollup, e.g. \"target|country\" (quoted: | is the shell's)", Required: true),
        new CommandOption("--from", "DATE", "from when on: a date (midnight UTC) or a time with a zone; default: from the first click on"),
        new CommandOption("--dry-run", "", "says what would be written, and writes no count"),
    ];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        string text = input.Options["ROLLUP"];
        if (!Rollup.TryParse(text, out Rollup? rollup, out string? fault))
        {
            throw new UsageException($"ROLLUP {fault}");
        }

        int? from = From(input);
        try
        {
            return input.Settings.Cassandra is { } cassandra
                ? await OfClusterAsync(input, cassandra, rollup, from, cancellationToken)
                : await OnDataAsync(input, rollup, from, cancellationToken);
        }
        catch (LogUnusableException inUse) when (inUse.InnerException is not null)
        {
            await input.Error.WriteLineAsync(inUse.Message);
            string address = input.Settings.Urls.Split(';')[0];
            await input.Error.WriteLineAsync(
                $"Or let the server that runs there do it: curl -sS {address}{RunQueries.Route} -H 'Content-Type: application/json' -d '{{\"rollup\":\"{rollup}\"}}'");
            return ExitCodes.Failed;
        }
        catch (ReconciliationRefusedException refused) when (refused.Code == "nothing_to_rebuild")
        {
            await input.Output.WriteLineAsync($"There is nothing to rebuild: {refused.Message}");
            return ExitCodes.Done;
        }
        catch (Exception away) when (away is TimeoutException or Orleans.Runtime.OrleansException)
        {
            await input.Error.WriteLineAsync($"No silo answers ({away.Message}). If the run was taken up it goes on; the same command waits for it.");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            await input.Error.WriteLineAsync("Ended before the run was done: it goes on when the server starts, or this command again.");
            return ExitCodes.Failed;
        }
        catch (Exception error) when (error is ReconciliationRefusedException or StoreUnavailableException or LogUnusableException or StoreUnusableException or KafkaLogException or SqliteException)
        {
            await input.Error.WriteLineAsync(error.Message);
            return ExitCodes.Failed;
        }
    }

    private static int? From(CommandInput input)
    {
        try
        {
            return input.Options.TryGetValue("--from", out string? from) ? Hours.Read("--from", from) : null;
        }
        catch (QueryFaultException fault)
        {
            throw new UsageException(fault.Message);
        }
    }

    private static async Task<int> OnDataAsync(CommandInput input, Rollup rollup, int? from, CancellationToken cancellationToken)
    {
        RollupSet rollups = input.Settings.Counting.Rollups;
        if (!rollups.Contains(rollup))
        {
            throw new UsageException($"Rollups has {rollups}, and not {rollup}: give the server's settings, with it");
        }

        // Opening would make a log in a directory that was only mistyped.
        string store = Path.Combine(input.Settings.DataDirectory, "store.db");
        if (!File.Exists(store))
        {
            await input.Error.WriteLineAsync($"{input.Settings.DataDirectory} holds no store.db: there is nothing to rebuild");
            return ExitCodes.Failed;
        }

        string[] others = [.. (await CountedRollups.ReadAsync(new StatesInSqlite(store), cancellationToken)).Names.Except(rollups.Select(one => one.ToString())).Order(StringComparer.Ordinal)];
        if (others.Length > 0)
        {
            throw new UsageException($"Rollups has {rollups}, and the server counts by {string.Join(", ", others)}, too, which this would switch off: give the server's settings");
        }

        await using PartitionedClickLog log = await PartitionedClickLog.OpenAsync(
            OpenLog.Options(input.Settings), TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
        await using WebApplication app = CommandHost.OnData(input.Settings, log);
        await app.StartAsync(cancellationToken);
        try
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, app.Lifetime.ApplicationStopping);
            var silos = new Silos(app.Services.GetRequiredService<IGrainFactory>, TimeProvider.System);
            int partitions = await app.Services.GetRequiredService<IPartitionLog>().GetPartitionCountAsync(ended.Token);
            return await WaitUntilCountedAsync(input, silos, partitions, ended.Token)
                ? await RebuildAsync(input, silos, rollup, from, ended.Token)
                : ExitCodes.Failed;
        }
        finally
        {
            await app.StopAsync(CancellationToken.None);
        }
    }

    private static async Task<int> OfClusterAsync(CommandInput input, CassandraSettings cassandra, Rollup rollup, int? from, CancellationToken cancellationToken)
    {
        await using WebApplication app = CommandHost.OfCluster(input.Settings, cassandra);
        await app.StartAsync(cancellationToken);
        try
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, app.Lifetime.ApplicationStopping);
            Silos silos = app.Services.GetRequiredService<Silos>();
            await ReachedAsync(silos, ended.Token);
            return await RebuildAsync(input, silos, rollup, from, ended.Token);
        }
        finally
        {
            await app.StopAsync(CancellationToken.None);
        }
    }

    private static async Task ReachedAsync(Silos silos, CancellationToken cancellationToken)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                _ = silos.Grains;
                return;
            }
            catch (StoreUnavailableException) when (TimeProvider.System.GetElapsedTime(began) < s_patience)
            {
                await Task.Delay(s_look, cancellationToken);
            }
        }
    }

    /// <summary>A partition that does not count cannot be corrected either.</summary>
    private static async Task<bool> WaitUntilCountedAsync(CommandInput input, Silos silos, int partitions, CancellationToken cancellationToken)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            CountingProgress progress = await silos.AskAsync(grains => grains.GetGrain<ISeriesGrain>(0).GetProgressAsync(), cancellationToken);
            if (progress.Partitions.Count == partitions && progress.Partitions.All(partition => partition.State == PartitionState.Counting))
            {
                return true;
            }

            string? stopped = progress.Partitions.Where(partition => partition.State == PartitionState.Stopped).Select(partition => $"partition {partition.Partition} stands still: {partition.Detail}").FirstOrDefault();
            if (stopped is not null || TimeProvider.System.GetElapsedTime(began) > s_patience)
            {
                await input.Error.WriteLineAsync(stopped ?? $"the counting does not start: {progress.Trouble ?? progress.Partitions.Select(partition => partition.Detail).FirstOrDefault(detail => detail is not null) ?? "it waits"}");
                return false;
            }

            await Task.Delay(s_look, cancellationToken);
        }
    }

    private static async Task<int> RebuildAsync(CommandInput input, Silos silos, Rollup rollup, int? from, CancellationToken cancellationToken)
    {
        bool dry = input.Options.ContainsKey("--dry-run");
        IReadOnlyList<ReconciliationRun> runs = await silos.Grains.GetGrain<IReconciliationGrain>(0).RebuildAsync(rollup.ToString(), from, dry, null);
        int code = ExitCodes.Done;
        bool waits = false;
        foreach (ReconciliationRun run in runs)
        {
            if (run.NotBefore is long notBefore && notBefore > TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds())
            {
                waits = true;
                await input.Output.WriteLineAsync(
                    $"{rollup}, {Hours.Text(run.Request.FromHour)} to {Hours.Text(run.Request.ToHour)} (run {run.Number}): clicks still come to these hours; they are made up for after {Hours.Moment(notBefore)}, while the server runs");
                continue;
            }

            ReconciliationRun ended = await WaitAsync(input, silos, run.Number, cancellationToken);
            await input.Output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{rollup}, {Hours.Text(ended.Request.FromHour)} to {Hours.Text(ended.Request.ToHour)} (run {ended.Number}): {ended.HoursDone:N0} of {ended.HoursPlanned:N0} hours, {ended.ClicksRead:N0} clicks read, {ended.Corrections:N0} windows {(dry ? "would be " : "")}written"));
            foreach (RunTrouble trouble in ended.Troubles)
            {
                await input.Output.WriteLineAsync($"  {Hours.Text(trouble.Hour)} chain {trouble.Chain}: {trouble.Code}: {trouble.Message}");
            }

            code = ended.State == RunState.Done ? code : ExitCodes.Failed;
        }

        if (!dry && !waits)
        {
            IReadOnlyDictionary<string, RollupStart> starts = await silos.AskAsync(grains => grains.GetGrain<ISeriesGrain>(0).GetRollupStartsAsync(), cancellationToken);
            int whole = starts[rollup.ToString()].WholeFrom;
            await input.Output.WriteLineAsync($"{rollup} is whole from {(whole == int.MinValue ? "the beginning" : Hours.Text(whole))} on");
        }

        return code;
    }

    private static async Task<ReconciliationRun> WaitAsync(CommandInput input, Silos silos, long number, CancellationToken cancellationToken)
    {
        string said = "";
        long at = TimeProvider.System.GetTimestamp();
        long heard = at;
        while (true)
        {
            ReconciliationRun run;
            try
            {
                run = await silos.AskAsync(grains => grains.GetGrain<IReconciliationGrain>(0).GetRunAsync(number), cancellationToken)
                    ?? throw new StoreUnavailableException($"there is no run {number} any more");
                heard = TimeProvider.System.GetTimestamp();
            }
            catch (Exception away) when (away is TimeoutException or Orleans.Runtime.OrleansException && TimeProvider.System.GetElapsedTime(heard) < s_patience)
            {
                // The silo that had it has died; another one goes on with it.
                await Task.Delay(s_look, cancellationToken);
                continue;
            }

            if (run.State > RunState.Running)
            {
                return run;
            }

            string say = string.Create(CultureInfo.InvariantCulture, $"run {number}: {run.HoursDone:N0} of {run.HoursPlanned:N0} hours, {run.ClicksRead:N0} clicks");
            if (run.State == RunState.Running && say != said && TimeProvider.System.GetElapsedTime(at) >= s_say)
            {
                await input.Error.WriteLineAsync((said = say) + Left(run));
                at = TimeProvider.System.GetTimestamp();
            }

            await Task.Delay(s_look, cancellationToken);
        }
    }

    private static string Left(ReconciliationRun run) =>
        RunQueries.SecondsLeft(run, TimeProvider.System.GetUtcNow()) is long seconds ? string.Create(CultureInfo.InvariantCulture, $", {TimeSpan.FromSeconds(seconds):c} left") : "";
}
