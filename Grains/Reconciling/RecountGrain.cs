using System.Globalization;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>One hour of one chain: the thin shell around <see cref="HourUnit"/>, which leaves the memory once it is done.</summary>
internal sealed partial class RecountGrain(
    ILedgerStore ledger,
    ICountReader counts,
    IBatchStore batches,
    ICountedChains chains,
    IHourArchive archive,
    IArchiveObjects objects,
    IClickFiles files,
    IReplayLog replay,
    CountingOptions counting,
    ReconciliationOptions options,
    ReconciliationInstruments instruments,
    TimeProvider time,
    ILogger<RecountGrain> logger) : Grain, IRecountGrain
{
    public static string Key(int chain, int hour) => string.Create(CultureInfo.InvariantCulture, $"{chain}@{hour}");

    public async Task<RecountResult> RecountAsync(RecountRequest request, CancellationToken cancellationToken)
    {
        DeactivateOnIdle();
        if (request.Rebuild is { } rebuild && !counting.Rollups.Any(rollup => rollup.ToString() == rebuild))
        {
            return new RecountResult(RecountOutcome.Refused, "rollup_not_enabled", $"a silo counts without {rebuild}: its setting Rollups has {counting.Rollups}", 0, 0, 0);
        }

        var rules = new RecountRules
        {
            Rollups = counting.Rollups,
            RetentionDays = counting.Retention is TimeSpan days ? Math.Max(1, (int)days.TotalDays) : null,
            Young = options.Young,
            Bounds = options.Bounds,
        };
        var unit = new HourUnit(request, new RecountPorts(ledger, counts, batches, chains, archive, objects, files, replay, time), rules)
        {
            Settled = instruments.Corrected,
            Replayed = instruments.Replayed,
        };
        try
        {
            // Off the grain's thread: reading the clicks is much to compute, and nobody asks this grain anything else.
            RecountResult result = await Task.Run(() => unit.RunAsync(cancellationToken), cancellationToken);
            instruments.Recounted(result.ClicksRead);
            return result;
        }
#pragma warning disable CA1031 // the caller may be another silo, which does not know the exceptions of stores; the run says it, and tries again
        catch (Exception fault) when (fault is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogFailed(logger, fault, request.Hour, request.Chain, request.Run);
            return new RecountResult(RecountOutcome.Again, ReconciliationGrain.Failed, fault.Message, 0, 0, 0);
        }
    }

    [LoggerMessage(EventId = 2501, Level = LogLevel.Warning, Message = "recounting hour {Hour} of chain {Chain} for run {Run} failed; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception error, int hour, int chain, long run);
}
