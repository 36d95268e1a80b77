using System.Globalization;
using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Ledger;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Verify;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Silo.Settings;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>
/// Holds the archive against its own manifest, object by object; counts the log again, the click log or Kafka's topic, and what the log has
/// no more from the archive; and holds the store against that, window by window, what is derived from windows against them, and what it keeps
/// of earlier versions against its marks.
/// </summary>
internal sealed class VerifyCommand : ICommand
{
    // A batch takes a second, or some; a partition that stops has lasted longer.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public string Name => "verify";

    public string Summary =>
        "recounts the log, and from the archive what the log has no more, and compares that with the store, day rows and top lists with the windows, and the archive with its manifest; exit code 1 if they differ. A cluster goes on meanwhile; else the server has to be stopped";

    public string? Remark =>
        "Give it the server's settings. Of a cluster it reads Kafka, Cassandra and the archive itself, and asks no silo: Kafka:BootstrapServers, Cassandra:ContactPoints, S3:Bucket or Archive:Directory.\n"
        + "It reads the log once for each million clicks of the hours that it looks at, and all of the archive once: in a large cluster name some hours.";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new CommandOption("--from", "DATE", "the first hour that is recounted: a date (midnight UTC) or a time with a zone; default: all"),
        new CommandOption("--to", "DATE", "like --from, exclusive; raised to the hour"),
    ];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        (int From, int To) hours = Asked(input);
        try
        {
            await using VerifiedArchive archive = await VerifiedArchive.WalkAsync(input.Settings.Archive, input.Error.WriteLine, cancellationToken);
            int? counts = input.Settings.Cassandra is { } cassandra
                ? await OfClusterAsync(input, cassandra, archive, hours, cancellationToken)
                : await OnDataAsync(input, archive, hours, cancellationToken);
            return counts is int compared ? Math.Max(compared, await SayArchiveAsync(input, archive)) : ExitCodes.Failed;
        }
        catch (Exception error) when (error is LogUnusableException or StoreUnusableException or KafkaLogException or KafkaException or ArchiveUnavailableException
            or ArchiveDamagedException or CqlException or SchemaUnusableException)
        {
            await input.Error.WriteLineAsync(error.Message);
            return ExitCodes.Failed;
        }
    }

    private static (int From, int To) Asked(CommandInput input)
    {
        try
        {
            int from = input.Options.TryGetValue("--from", out string? first) ? Hours.Read("--from", first) : int.MinValue;
            int to = input.Options.TryGetValue("--to", out string? last) ? Hours.Read("--to", last, raise: true) : int.MaxValue;
            return from < to ? (from, to) : throw new UsageException("--to must be later than --from");
        }
        catch (QueryFaultException fault)
        {
            throw new UsageException(fault.Message);
        }
    }

    // Null where there is nothing to compare.
    private static async Task<int?> OnDataAsync(CommandInput input, VerifiedArchive archive, (int From, int To) hours, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(input.Settings.DataDirectory, "store.db")))
        {
            await input.Error.WriteLineAsync($"{input.Settings.DataDirectory} holds no store.db: there is nothing to verify");
            return null;
        }

        await using PartitionedClickLog log = await PartitionedClickLog.OpenAsync(
            OpenLog.Options(input.Settings), TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
        await using SqliteStore store = SqliteStore.Open(SiloSetup.Store(input.Settings), NullLoggerFactory.Instance);
        using RecountedTopic? topic = input.Settings.Kafka is KafkaLogSettings kafka
            ? await RecountedTopic.OpenAsync(kafka.Silo.Clicks, cancellationToken)
            : null;
        var clicks = new RecountedClickLog(log);
        var verified = new Verified(new StatesInSqlite(store.Path), store.Counts, store.Ledger, GoesOn: false);
        await archive.HoldAgainstAsync(verified.States, cancellationToken);
        return await CompareAsync(
            input, verified, archive, (IRecountLog?)topic ?? clicks, topic is null ? null : clicks, topic is not null, hours, cancellationToken);
    }

    private static async Task<int?> OfClusterAsync(
        CommandInput input, CassandraSettings cassandra, VerifiedArchive archive, (int From, int To) hours, CancellationToken cancellationToken)
    {
        using RecountedTopic topic = await RecountedTopic.OpenAsync(((KafkaLogSettings)input.Settings.Kafka!).Silo.Clicks, cancellationToken);
        await using CassandraStore store = await CassandraStore.OpenAsync(
            new CassandraStoreOptions
            {
                // It looks, and makes no table.
                Cassandra = options =>
                {
                    cassandra.Configure(options);
                    options.CreateSchema = false;
                },
                RetentionMinutes = input.Settings.Counting.RetentionMinutes,
                RetentionDays = input.Settings.Counting.RetentionDays,
            },
            NullLoggerFactory.Instance,
            cancellationToken: cancellationToken);
        await using var sessions = new CassandraSessions(NullLoggerFactory.Instance, TimeProvider.System);
        CassandraSession session = sessions.Get(cassandra.Options());
        var states = new StatesInCassandra(session.Cql, session.Keyspace, input.Settings.Cluster.ServiceId);
        return await CompareAsync(
            input, new Verified(states, store.Counts, store.Ledger, GoesOn: true), archive, topic, null, leaveOutRemoved: true, hours, cancellationToken);
    }

    private static async Task<int?> CompareAsync(
        CommandInput input,
        Verified store,
        VerifiedArchive archive,
        IRecountLog log,
        IRecountLog? before,
        bool leaveOutRemoved,
        (int From, int To) hours,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<CountedPartition> all = await CountedPartitions.ReadAsync(store.States, cancellationToken);
        VerifyPlan plan = await VerifyPlan.MakeAsync(all, log, before, leaveOutRemoved, archive.Chains, cancellationToken);
        if (plan.Parts.Count == 0 && all.Count > 0)
        {
            await input.Error.WriteLineAsync($"the store was counted from the log {all[0].Log}, and the log is {log.Id}: there is nothing to compare");
            return null;
        }

        foreach (string remark in plan.Remarks)
        {
            await input.Error.WriteLineAsync(remark);
        }

        int[] others = [.. (await CountedPartitions.ReadNumbersAsync(store.States, cancellationToken)).Except(plan.Parts.Select(part => part.Chain)).Order()];
        if (others.Length > 0)
        {
            await input.Error.WriteLineAsync($"windows of another log, that was counted before this one was adopted, are left out (chains {string.Join(", ", others)})");
        }

        RecountRules rules = RecountRules.Of(input.Settings.Counting) with { Counted = await CountedRollups.ReadAsync(store.States, cancellationToken) };
        VerifyResult result = await new LogRecount(store.Counts, rules, input.Error.WriteLine, ledger: store.Ledger)
            .RunAsync(plan.Parts, cancellationToken, hours.From, hours.To);
        await input.Output.WriteLineAsync(result.ToString());
        await SayExamplesAsync(input, result.Examples, result.WindowsDiffer + result.RepeatsDiffer + result.HoursDiffer);

        if (result.Damaged > 0)
        {
            await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{result.Damaged:N0} records of the log cannot be read: clicks in them are in neither count, unless they were counted before the damage; /v1/status names their offsets"));
        }

        if (result.WindowsLeftOut > 0 || result.NoClicks > 0)
        {
            await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{result.WindowsLeftOut:N0} windows were left out, whose clicks the log does not have all of any more, whose rollup is not whole there, or whose time is nearly over; {result.NoClicks:N0} records hold no click"));
        }

        if (result.Archived > 0)
        {
            await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{result.Archived:N0} clicks were recounted from the archive; {result.RepeatsElsewhere:N0} of them are marked as repeats of clicks of other hours, and were taken for that{(result.RepeatsOneOf > 1 ? $" (one id in {result.RepeatsOneOf} was looked at)" : "")}"));
        }

        if (result.WindowsCorrected > 0)
        {
            await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{result.WindowsCorrected:N0} windows were corrected by reconciliation, and held against its ledger; {result.WindowsClickedSince:N0} of them got clicks since, which were counted on top of it"));
        }

        bool derivedAgree = await SayDerivedAsync(input, store, rules, hours, cancellationToken);
        KeptFinals finals = await KeptFinals.ReadAsync(store.Ledger, store.States, all, rules.FirstKeptHour(TimeProvider.System.GetUtcNow()), hours, cancellationToken);
        KeptHistory history = await KeptHistory.CheckAsync(store.Ledger, finals, hours.From, hours.To, Progress(input), cancellationToken);
        await finals.CompleteAsync(store.Ledger, cancellationToken);
        bool historyAgrees = await SayHistoryAsync(input, history, finals);
        return historyAgrees && derivedAgree && result.Agrees ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static VerifyProgress Progress(CommandInput input) => new(input.Error.WriteLine, TimeProvider.System);

    private static async Task<bool> SayHistoryAsync(CommandInput input, KeptHistory history, KeptFinals finals)
    {
        if (finals.Faults > 0)
        {
            await input.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"finalisations: {finals.Finals:N0}, and {finals.Faults:N0} hours and runs lack what they had"));
        }

        if (finals.Named > 0)
        {
            await input.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"finalisations: {finals.Named:N0} are gone that a run has named already; their hours were made final anew"));
        }

        await SayExamplesAsync(input, finals.Examples, finals.Faults);

        if (history.Rows > 0)
        {
            await input.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"history: {history.Rows:N0} rows of earlier versions, {history.Faults:N0} gone or altered"));
        }

        await SayExamplesAsync(input, history.Examples, history.Faults);

        return history.Faults == 0 && finals.Faults == 0;
    }

    private static async Task<bool> SayDerivedAsync(
        CommandInput input, Verified store, RecountRules rules, (int From, int To) hours, CancellationToken cancellationToken)
    {
        IReadOnlySet<int> chains = await CountedPartitions.ReadNumbersAsync(store.States, cancellationToken);
        DerivedResult derived = await new DerivedRows(store.Counts, store.Ledger, store.States, rules, chains, store.GoesOn ? s_patience : null, progress: Progress(input))
            .RunAsync(hours.From, hours.To, cancellationToken);
        derived.KnowChains(await CountedPartitions.ReadNumbersAsync(store.States, cancellationToken));
        await input.Output.WriteLineAsync(derived.ToString());
        await SayExamplesAsync(input, derived.Examples, 0);

        if (derived.Floors > 0)
        {
            await input.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{derived.Floors:N0} top lists have a floor that is higher than it need be: what they say is true, and a run over their hours lowers it"));
            await SayExamplesAsync(input, derived.FloorExamples, derived.Floors);
        }

        if (derived.UnderWay > 0)
        {
            await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{derived.UnderWay:N0} hours of day rows, places of top lists and marks of hours were left out, which are written before and behind their windows by a batch that is under way and stands still: verify again once it is counted"));
        }

        if (derived.Changing > 0)
        {
            await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{derived.Changing:N0} hours of day rows and places of top lists were left out, which changed whenever they were looked at"));
        }

        return derived.Agrees;
    }

    /// <summary>The first of what differs, and how many there are beyond these.</summary>
    private static async Task SayExamplesAsync(CommandInput input, IEnumerable<string> examples, long all)
    {
        long shown = 0;
        foreach (string example in examples)
        {
            await input.Output.WriteLineAsync("  " + example);
            shown++;
        }

        if (all > shown)
        {
            await input.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  and {all - shown:N0} more"));
        }
    }

    private static async Task<int> SayArchiveAsync(CommandInput input, VerifiedArchive archive)
    {
        foreach (ArchiveReport report in archive.Reports)
        {
            await input.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"archive of chain {report.Chain.Number}: {report.Clicks:N0} clicks in {report.Objects:N0} objects, up to offset {report.Upto}, {report.Faults.Count + report.MoreFaults:N0} faults"));
            await SayExamplesAsync(input, report.Faults, report.Faults.Count + report.MoreFaults);
            foreach (string open in report.Open)
            {
                await input.Output.WriteLineAsync($"  {open} is not there, or not rewritten yet: the server finishes that when it runs again, unless it was deleted");
            }
        }

        foreach (string gone in archive.Gone)
        {
            await input.Output.WriteLineAsync(gone);
        }

        if (archive.Trouble is not null)
        {
            await input.Error.WriteLineAsync(archive.Trouble);
        }

        return archive.IsFailed ? ExitCodes.Failed : ExitCodes.Done;
    }

    /// <summary>What of a store is looked at.</summary>
    private sealed record Verified(IStoredStates States, ICountReader Counts, ILedgerStore Ledger, bool GoesOn);
}
