using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Reconciling;

/// <content>
/// Windows that somebody invented, or took the name of: no run comes to their hours by itself, and in Cassandra none would find them. All that
/// is stored is looked through once in <see cref="ReconciliationOptions.SweepEvery"/>, part by part, while runs go on. The hour of what has no
/// name is opened, and it gets one; the run that follows compares and corrects it like any other. Where the archive lacks what the hour may
/// have, no run would: the hour stays closed, and the run names it. A run that was asked for with a search waits for a round of its own,
/// which goes from part to part without a pause.
/// </content>
internal sealed partial class ReconciliationGrain
{
    private const int SweepExamples = 10;
    private const int MostAstray = 1000;

    /// <summary>Hours that were opened go into a run at once, but not for each of many parts: after this part of a round.</summary>
    private const int LateRunsInRound = 144;

    /// <summary>Those of the store, and one for what was kept of earlier versions.</summary>
    private int Parts => ledger.UnnamedParts + 1;

    /// <summary>The part that is looked through now; null for none.</summary>
    private Task<SweptPart>? _sweeping;

    /// <summary>Begins with the next part if it is due, and takes down what the last one found; answers when to come again.</summary>
    private async Task<TimeSpan> SweepAsync()
    {
        long? asked = SearchAskedAt();
        if (options.SweepEvery <= TimeSpan.Zero && asked is null)
        {
            if (position.State.Sweep is { IsRunDue: true } left)
            {
                // By a part that was under way when this was switched off.
                left.IsRunDue = false;
                position.State.LateAt = 0;
                await WritePositionAsync();
            }

            return LookEvery;
        }

        long now = Now;
        SweepProgress sweep = position.State.Sweep ??= new SweepProgress { BeganAt = now };
        if (_sweeping is null)
        {
            if (sweep.NextAt > now && asked is null)
            {
                return Sooner(sweep.NextAt - now);
            }

            // A store of another kind has other parts; and what is looked for has to have been there before the round began.
            if (sweep.Part >= Parts || sweep.BeganAt < asked)
            {
                (sweep.Part, sweep.Found, sweep.Failed, sweep.BeganAt) = (0, 0, 0, now);
            }

            // Stored before anything is opened: what has a name then is not found again, so whoever dies in between leaves that a run is due.
            bool wasDue = sweep.IsRunDue;
            if (!wasDue)
            {
                sweep.IsRunDue = true;
                await WritePositionAsync();
            }

            _sweeping = sweep.Part < ledger.UnnamedParts ? SweepPartAsync(sweep.Part, wasDue) : SweepHistoryAsync(sweep.Part, wasDue);
        }

        if (!_sweeping.IsCompleted)
        {
            return LookEvery; // it wakes the loop
        }

        SweptPart swept = await _sweeping;
        _sweeping = null;
        IReadOnlyList<RunTrouble> lost = await NoteHistoryAsync(swept.History);
        sweep.Found += swept.Found;
        sweep.Failed += swept.Failed ? 1 : 0;
        sweep.IsRunDue = swept.IsRunDue || lost.Count > 0;
        sweep.Astray.AddRange(swept.Astray.Except(sweep.Astray).Take(MostAstray - sweep.Astray.Count).ToList());
        sweep.Named.AddRange(swept.Named.Except(sweep.Named).Take(MostAstray - sweep.Named.Count).ToList());
        sweep.Left.AddRange(swept.Left.Concat(lost).Take(MostTroubles - sweep.Left.Count));
        sweep.Part++;
        if (sweep.IsRunDue && asked is null && now - position.State.LateAt > options.SweepEvery.TotalMilliseconds / LateRunsInRound)
        {
            sweep.IsRunDue = false;
            position.State.LateAt = 0; // their hours go into the next run of late ones, which is due now
        }

        if (sweep.Part == Parts)
        {
            LogSwept(logger, sweep.Part - sweep.Failed, sweep.Part, sweep.Found, (now - sweep.BeganAt) / 1000);
            (sweep.SearchedAt, sweep.SearchFailed) = (sweep.BeganAt, sweep.Failed);
            (sweep.Part, sweep.Found, sweep.Failed, sweep.BeganAt) = (0, 0, 0, now);
        }

        TimeSpan pause = options.SweepEvery / Parts;
        sweep.NextAt = now + (long)pause.TotalMilliseconds;
        await WritePositionAsync();
        return asked is null ? Sooner(pause.TotalMilliseconds) : TimeSpan.Zero;

        static TimeSpan Sooner(double milliseconds) => TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, LookEvery.TotalMilliseconds));
    }

    /// <summary>When the first of the runs was asked for that wait for a search; null for none.</summary>
    private long? SearchAskedAt() => runs.State.Runs.Find(run => IsSearching(run.Run))?.Run.AskedAt;

    /// <summary>Whether it waits for a search.</summary>
    private bool IsSearching(ReconciliationRun run) => run.State == RunState.Waiting && run.Request.Search && !(position.State.Sweep?.SearchedAt >= run.AskedAt);

    /// <summary>How far the search for a run is; null where none was asked for.</summary>
    private RunSearch? SearchOf(ReconciliationRun run) => !run.Request.Search ? null
        : !IsSearching(run) ? new RunSearch(Parts, Parts)
        : new RunSearch(Parts, position.State.Sweep is { } sweep && sweep.BeganAt >= run.AskedAt ? Math.Min(sweep.Part, Parts) : 0);

    /// <summary>The last part: what was kept of earlier versions.</summary>
    private async Task<SweptPart> SweepHistoryAsync(int part, bool wasDue)
    {
        IReadOnlyDictionary<long, long> lacking = new Dictionary<long, long>();
        bool failed = false;
        try
        {
            lacking = await CountHistoryAsync();
        }
#pragma warning disable CA1031 // runs go on without it, and the next round comes by here again
        catch (Exception error)
#pragma warning restore CA1031
        {
            failed = true;
            if (!_stop.IsCancellationRequested)
            {
                LogNotSwept(logger, error, part);
            }
        }

        if (!_stop.IsCancellationRequested)
        {
            Wake();
        }

        return new SweptPart(0, failed, wasDue, [], []) { History = lacking };
    }

    /// <summary>Windows of a part whose hours are to be recounted: these are open then, and the windows have a name.</summary>
    private async Task<SweptPart> SweepPartAsync(int part, bool wasDue)
    {
        long found = 0;
        long strange = 0;
        bool failed = false;
        var hours = new Dictionary<UnfinishedHour, string?>();
        var archives = new Dictionary<int, ArchivedChain>();
        var left = new Dictionary<UnfinishedHour, RunTrouble>();
        bool opened = false;
        long waiting = 0;
        var astray = new List<AstrayRow>();
        var named = new HashSet<UnnamedWindow>();
        var examples = new List<string>();
        try
        {
            HashSet<int>? all = null;
            await foreach ((WindowKey key, int? astrayIn) in ledger.FindUnnamedAsync(part, _stop.Token))
            {
                if (key.Hour < OldestHour || key.Hour >= YoungFrom || IsForgotten(key.Hour))
                {
                    continue; // too old to be recounted, or too young yet
                }

                all ??= [.. await chains.AllAsync()];
                if (examples.Count < SweepExamples)
                {
                    examples.Add(Text($"{key.Series} in {Time(key.Hour)} of chain {key.Chain}{(astrayIn is int stands ? $" (in day {stands})" : "")}"));
                }

                // What a run would leave as it is: see HourComparison.
                if (!all.Contains(key.Chain) || !ledger.IsReached(key.Series)
                    || (SeriesName.TryParse(key.Series, out SeriesName name) && !counting.Rollups.Contains(name.Rollup)))
                {
                    strange++;
                    continue;
                }

                // The hour first: a window that has a name is not found again, and its hour has to be open by then.
                var hour = new UnfinishedHour(key.Hour, key.Chain);
                if (!hours.TryGetValue(hour, out string? incomplete))
                {
                    hours[hour] = incomplete = await IncompleteAsync(hour, archives);
                    if (incomplete is null)
                    {
                        opened = true;
                        await ledger.ReopenAsync(key.Hour, key.Chain, position.State.Version, _stop.Token);
                    }
                }

                if (incomplete is not null)
                {
                    waiting++;
                    if (left.Count < MostTroubles)
                    {
                        left.TryAdd(hour, new RunTrouble(key.Hour, key.Chain, "archive_incomplete",
                            $"{key.Series} {(astrayIn is null ? "is there and has no name in series_by_day" : "has a row in the partition of another day")}, and {incomplete}: no run would lower it, so the hour is left as it is, and so are its numbers"));
                    }

                    continue;
                }

                found++;
                if (astrayIn is int day)
                {
                    // It goes once the ledger has it; what is more than these the next round finds.
                    if (astray.Count < MostAstray)
                    {
                        astray.Add(new AstrayRow(key.Series, key.Hour, key.Chain, day));
                    }

                    continue;
                }

                if (!await ledger.NameAsync(key, _stop.Token))
                {
                    strange++;
                }
                else if (named.Count < MostAstray)
                {
                    named.Add(new UnnamedWindow(key.Series, key.Hour, key.Chain));
                }
            }
        }
#pragma warning disable CA1031 // runs go on without it, and the next round comes by here again
        catch (Exception error)
#pragma warning restore CA1031
        {
            failed = true;
            if (!_stop.IsCancellationRequested)
            {
                LogNotSwept(logger, error, part);
            }
        }

        if (examples.Count > 0)
        {
            LogUnnamed(logger, found, hours.Values.Count(incomplete => incomplete is null), waiting, strange, string.Join("; ", examples));
        }

        if (!_stop.IsCancellationRequested)
        {
            Wake();
        }

        return new SweptPart(found, failed, wasDue || opened || left.Count > 0, [.. left.Values], astray) { Named = [.. named] };
    }

    /// <summary>
    /// Why no run would lower a count of an hour, as <see cref="HourUnit"/> has it; null where one would. Opened for a window that
    /// nobody sent, such an hour would be final no more until the archive is whole, which may be never: nothing of it could be asked for by
    /// its version, nor its month be closed, for a number that stays what it is.
    /// </summary>
    private async Task<string?> IncompleteAsync(UnfinishedHour hour, Dictionary<int, ArchivedChain> archives)
    {
        if (!archives.TryGetValue(hour.Chain, out ArchivedChain? archive))
        {
            string[] damage = await CheckManifestAsync(hour.Chain, asked: true)
                ?? throw new ArchiveUnavailableException(Text($"the archive of chain {hour.Chain} does not say whether its manifest is whole"));
            ArchiveProgress progress = await GrainFactory.GetGrain<IArchiveGrain>(hour.Chain).GetProgressAsync().WaitAsync(_stop.Token);
            archives[hour.Chain] = archive = new ArchivedChain(damage.Length == 0 ? null : string.Join("; ", damage), progress.Lost);
        }

        if (archive.Damage is not null)
        {
            return archive.Damage;
        }

        HourMark[] marks = [.. (await ledger.ReadHoursAsync(hour.Hour, hour.Hour + 1, _stop.Token)).Where(mark => mark.Chain == hour.Chain)];
        return HourUnit.WhatIsLost(hour.Chain, archive.Lost, marks.Length > 0 ? marks[0].Upto : long.MaxValue);
    }

    /// <summary>What is wrong with a chain's manifest (null for nothing), and what its archive never got.</summary>
    private sealed record ArchivedChain(string? Damage, IReadOnlyList<LostRange> Lost);

    /// <summary>What became of a part: whether a run is due by it or was before, and what the run has to name.</summary>
    private sealed record SweptPart(long Found, bool Failed, bool IsRunDue, IReadOnlyList<RunTrouble> Left, IReadOnlyList<AstrayRow> Astray)
    {
        /// <summary>Windows that have a name now.</summary>
        public IReadOnlyList<UnnamedWindow> Named { get; init; } = [];

        /// <summary>How many kept counts runs lack, where that changed, by run.</summary>
        public IReadOnlyDictionary<long, long> History { get; init; } = new Dictionary<long, long>();
    }

    [LoggerMessage(EventId = 2526, Level = LogLevel.Warning, Message = "{Found} windows that no index names, or that stand in another day, are in the store: their {Hours} hours are opened and recounted. {Waiting} are in hours that the archive does not have all of, and are left until it has; {Strange} are of no chain or no rollup, or could not be named, and are left: verify tells them. For example {Examples}")]
    private static partial void LogUnnamed(ILogger logger, long found, int hours, long waiting, long strange, string examples);

    [LoggerMessage(EventId = 2528, Level = LogLevel.Warning, Message = "part {Part} of the store could not be looked through for windows that no index names; the next round comes by it again")]
    private static partial void LogNotSwept(ILogger logger, Exception error, int part);

    [LoggerMessage(EventId = 2527, Level = LogLevel.Information, Message = "{Swept} of {Parts} parts of the store were looked through for windows that no index names: {Found} were found in {Seconds} s")]
    private static partial void LogSwept(ILogger logger, int swept, int parts, long found, long seconds);
}
