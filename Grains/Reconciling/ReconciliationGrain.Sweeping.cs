using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Reconciling;

/// <content>
/// Windows that somebody invented, or took the name of: no run comes to their hours by itself, and in Cassandra none would find them. All that
/// is stored is looked through once in <see cref="ReconciliationOptions.SweepEvery"/>, part by part, beside the runs. What has no name gets
/// one and its hour is opened; the run that follows compares and corrects it like any other.
/// </content>
internal sealed partial class ReconciliationGrain
{
    private const int SweepExamples = 10;

    /// <summary>Looks through the next part, if it is due; answers when the next one is, null for never.</summary>
    private async Task<TimeSpan?> SweepAsync()
    {
        if (options.SweepEvery <= TimeSpan.Zero)
        {
            return null;
        }

        SweepProgress sweep = position.State.Sweep ??= new SweepProgress { BeganAt = Now };
        if (sweep.NextAt > Now)
        {
            return TimeSpan.FromMilliseconds(sweep.NextAt - Now);
        }

        // A store of another kind has other parts.
        sweep.Part = sweep.Part < ledger.UnnamedParts ? sweep.Part : 0;
        long found = 0;
        try
        {
            found = await SweepPartAsync(sweep.Part);
        }
#pragma warning disable CA1031 // runs go on without it, and the next round comes by here again
        catch (Exception error) when (!_stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotSwept(logger, error, sweep.Part);
        }

        sweep.Found += found;
        sweep.Part++;
        if (found > 0)
        {
            position.State.LateAt = 0; // their hours go into the next run of late ones, which is due now
        }

        if (sweep.Part == ledger.UnnamedParts)
        {
            long seconds = (Now - sweep.BeganAt) / 1000;
            LogSwept(logger, sweep.Part, sweep.Found, seconds);
            (sweep.Part, sweep.Found, sweep.BeganAt) = (0, 0, Now);
        }

        TimeSpan pause = options.SweepEvery / ledger.UnnamedParts;
        sweep.NextAt = Now + (long)pause.TotalMilliseconds;
        await WritePositionAsync();
        return pause;
    }

    /// <summary>Windows of a part whose hours are to be recounted: they have a name now, and their hours are open.</summary>
    private async Task<long> SweepPartAsync(int part)
    {
        long found = 0;
        long strange = 0;
        var opened = new HashSet<UnfinishedHour>();
        var examples = new List<WindowKey>();
        HashSet<int>? all = null;
        await foreach (WindowKey key in ledger.FindUnnamedAsync(part, _stop.Token))
        {
            if (key.Hour < OldestHour || key.Hour >= YoungFrom || IsForgotten(key.Hour))
            {
                continue; // too old to be recounted, or too young yet
            }

            all ??= [.. await chains.AllAsync()];
            if (examples.Count < SweepExamples)
            {
                examples.Add(key);
            }

            if (!all.Contains(key.Chain) || !await ledger.NameAsync(key, _stop.Token))
            {
                strange++;
                continue;
            }

            found++;
            if (opened.Add(new UnfinishedHour(key.Hour, key.Chain)))
            {
                await ledger.ReopenAsync(key.Hour, key.Chain, _stop.Token);
            }
        }

        if (examples.Count > 0)
        {
            LogUnnamed(logger, found, opened.Count, strange, string.Join("; ", examples.Select(key => Text($"{key.Series} in {Time(key.Hour)} of chain {key.Chain}"))));
        }

        return found;
    }

    [LoggerMessage(EventId = 2526, Level = LogLevel.Warning, Message = "{Found} windows that no index names are in the store: their {Hours} hours are opened and recounted. {Strange} more are of no chain or no rollup, and are left: verify names them. For example {Examples}")]
    private static partial void LogUnnamed(ILogger logger, long found, int hours, long strange, string examples);

    [LoggerMessage(EventId = 2528, Level = LogLevel.Warning, Message = "part {Part} of the store could not be looked through for windows that no index names; the next round comes by it again")]
    private static partial void LogNotSwept(ILogger logger, Exception error, int part);

    [LoggerMessage(EventId = 2527, Level = LogLevel.Information, Message = "all {Parts} parts of the store were looked through for windows that no index names: {Found} were found in {Seconds} s")]
    private static partial void LogSwept(ILogger logger, int parts, long found, long seconds);
}
