using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Partitions;

namespace ClickAggregator.Grains.Reconciling;

/// <content>Which hours have clicks, by the archive: of an hour whose mark in the store is gone, nothing else tells.</content>
internal sealed partial class ReconciliationGrain
{
    /// <summary>The days of which some of the chains have archived clicks, of those that a run goes over from an hour on; none where that is not known.</summary>
    private async Task<IReadOnlySet<int>> ArchivedDaysAsync(PlannedRun run, int fromHour, IReadOnlyList<int> ofChains)
    {
        long began = time.GetTimestamp();
        while (ofChains.Count > 0)
        {
            try
            {
                return await ArchivedDaysAsync(fromHour, run.Run.Request.ToHour, ofChains);
            }
            catch (ArchiveUnavailableException) when (time.GetElapsedTime(began) < options.Patience)
            {
                await Task.Delay(options.RetryDelay, time, _stop.Token);
            }
            catch (ArchiveUnavailableException away)
            {
                NoteUnlisted(run, fromHour, run.Run.Request.ToHour, away.Message);
                break;
            }
        }

        return new HashSet<int>();
    }

    /// <summary>The hours of some days; none where that is not known now.</summary>
    private async Task<IReadOnlyList<UnfinishedHour>> ArchivedHoursAsync(PlannedRun run, int[] days, IReadOnlyList<int> ofChains)
    {
        try
        {
            return await ArchivedHoursAsync(days, ofChains);
        }
        catch (ArchiveUnavailableException away)
        {
            NoteUnlisted(run, days[0] * 24, (days[^1] + 1) * 24, away.Message);
            return [];
        }
    }

    // The run goes on with the hours that are noted in the store, and is done in part: hours whose mark is gone may be left out.
    private void NoteUnlisted(PlannedRun run, int fromHour, int toHour, string reason)
    {
        fromHour = Math.Max(fromHour, run.Run.Request.FromHour);
        LogTrouble(logger, run.Run.Number, Time(fromHour), 0, "archive_unavailable", reason);
        if (position.State.Current is not { } at || at.Run != run.Run.Number)
        {
            return; // it is being planned, and looks again
        }

        if (run.Run.Request.Rebuild is not null)
        {
            at.Gaps = HourRanges.Joined([.. at.Gaps, new HourRange(fromHour, toHour)]);
        }

        if (!at.Troubles.Exists(trouble => trouble.Hour == fromHour && trouble.Code == "archive_unavailable"))
        {
            Note(at, new RunTrouble(
                fromHour, 0, "archive_unavailable", $"the archive did not say which hours it has: {reason}. Hours that the store has no note of were left out: ask again"));
        }
    }

    private async Task<IReadOnlySet<int>> ArchivedDaysAsync(int fromHour, int toHour, IReadOnlyList<int> ofChains)
    {
        HashSet<int> days = [.. (await ArchivedHoursAsync([], ofChains)).Select(unit => unit.Hour).Where(hour => hour >= fromHour && hour < toHour).Select(hour => hour / 24)];
        for (int before = (fromHour / 24) - 1; await NextDayAsync(before) is int day && day * 24L < toHour; before = day)
        {
            days.Add(day);
        }

        return days;
    }

    /// <summary>The first hour of <c>[fromHour, toHour)</c> with archived clicks; null for none.</summary>
    /// <exception cref="ArchiveUnavailableException">The archive cannot be listed now.</exception>
    private async Task<int?> FirstArchivedHourAsync(int fromHour, int toHour)
    {
        IReadOnlyList<int> all = await chains.AllAsync();
        int? table = null;
        for (int before = (fromHour / 24) - 1; table is null && await NextDayAsync(before) is int day && day * 24L < toHour; before = day)
        {
            table = First((await ArchivedHoursAsync([day], all)).Where(unit => unit.Hour / 24 == day));
        }

        // Of any day.
        return First(await ArchivedHoursAsync([], all)) is not int inbox ? table : table is int hour ? Math.Min(hour, inbox) : inbox;

        int? First(IEnumerable<UnfinishedHour> units) => units.Where(unit => unit.Hour >= fromHour && unit.Hour < toHour).Min(unit => (int?)unit.Hour);
    }

    /// <summary>The hours of chains that have archived clicks: of some days, and of any day those that wait in the inbox.</summary>
    /// <exception cref="ArchiveUnavailableException">An archive does not say it: it cannot be read, or its silo dies or is of a build before this.</exception>
    private async Task<IReadOnlyList<UnfinishedHour>> ArchivedHoursAsync(IReadOnlyList<int> days, IReadOnlyList<int> ofChains)
    {
        IReadOnlyList<int>[] hours = await Task.WhenAll(ofChains.Select(AskAsync));
        return [.. ofChains.SelectMany((chain, n) => hours[n].Select(hour => new UnfinishedHour(hour, chain)))];

        async Task<IReadOnlyList<int>> AskAsync(int chain)
        {
            try
            {
                return await GrainFactory.GetGrain<IArchiveGrain>(chain).GetHoursAsync(days).WaitAsync(_stop.Token);
            }
            catch (Exception fault) when (fault is not ArchiveUnavailableException && !_stop.IsCancellationRequested)
            {
                throw new ArchiveUnavailableException($"the archive of chain {chain} does not answer: {fault.Message}", fault);
            }
        }
    }

    /// <summary>The first day behind another that the table has objects of; null for none.</summary>
    private async Task<int?> NextDayAsync(int before)
    {
        await foreach (ArchivedKey one in objects.ListAsync(ArchiveKeys.Table, ArchiveKeys.BehindDay(before), _stop.Token))
        {
            if (ArchiveKeys.TryDay(one.Key, out int day))
            {
                return day;
            }
        }

        return null;
    }
}
