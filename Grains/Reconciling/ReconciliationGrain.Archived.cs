using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling;

/// <content>Which hours have clicks, by the archive: of an hour whose mark in the store is gone, nothing else tells.</content>
internal sealed partial class ReconciliationGrain
{
    /// <summary>The days of which some of the chains have archived clicks, of those that a run goes over from an hour on.</summary>
    /// <exception cref="ArchiveUnavailableException">The archive cannot be listed now, and a history is made of all that it has.</exception>
    private async Task<IReadOnlySet<int>> ArchivedDaysAsync(PlannedRun run, int fromHour, IReadOnlyList<int> ofChains)
    {
        try
        {
            return ofChains.Count > 0 ? await ArchivedDaysAsync(fromHour, run.Run.Request.ToHour, ofChains) : new HashSet<int>();
        }
        catch (ArchiveUnavailableException away) when (run.Run.Request.Rebuild is null)
        {
            LogFailed(logger, away); // the hours that are noted wait for it, too
            return new HashSet<int>();
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
        int? first = null;
        for (int before = (fromHour / 24) - 1; first is null && await NextDayAsync(before) is int day && day * 24L < toHour; before = day)
        {
            first = First(await ArchivedHoursAsync([day], all));
        }

        return first ?? First(await ArchivedHoursAsync([], all));

        int? First(IEnumerable<UnfinishedHour> units) => units.Where(unit => unit.Hour >= fromHour && unit.Hour < toHour).Min(unit => (int?)unit.Hour);
    }

    /// <summary>The hours of chains that have archived clicks: of some days, and of any day those that wait in the inbox.</summary>
    private async Task<IReadOnlyList<UnfinishedHour>> ArchivedHoursAsync(IReadOnlyList<int> days, IReadOnlyList<int> ofChains)
    {
        IReadOnlyList<int>[] hours = await Task.WhenAll(ofChains.Select(chain => GrainFactory.GetGrain<IArchiveGrain>(chain).GetHoursAsync(days)));
        return [.. ofChains.SelectMany((chain, n) => hours[n].Select(hour => new UnfinishedHour(hour, chain)))];
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
