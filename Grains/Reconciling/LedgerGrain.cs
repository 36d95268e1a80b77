using System.Data.Common;
using ClickAggregator.Grains.Storage;
using Orleans.Concurrency;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>Lets others read the ledger's store; each silo has as many of it as it needs.</summary>
[StatelessWorker]
[Reentrant]
internal sealed class LedgerGrain(ILedgerStore store) : Grain, ILedgerGrain
{
    private const int MaxRows = 1000;

    // Rows that a page of one run looks at: some ten reads of the store, far below the time that a call may take.
    private const int MaxSeen = 10_000;
    private const int MaxHours = 1000;

    public Task<IReadOnlyList<LedgerRow>> OfHourAsync(int hour, LedgerPlace? after, int limit) => ReadAsync(async () =>
        Shown(await store.ReadCorrectionsAsync(hour, Row(after), Bound(limit), CancellationToken.None)));

    public Task<IReadOnlyList<LedgerRow>> OfSeriesAsync(string series, int fromHour, int toHour, LedgerPlace? after, int limit) => ReadAsync(async () =>
        Shown(await store.ReadCorrectionsOfAsync(series, fromHour, toHour, Row(after), Bound(limit), CancellationToken.None)));

    public Task<LedgerPage> OfRunAsync(long run, int fromHour, int toHour, LedgerPlace? after, int limit) => ReadAsync(async () =>
    {
        int most = Bound(limit);
        int seen = 0;
        int hours = 0;
        var found = new List<LedgerRow>();
        int hour = after is null ? fromHour : Math.Max(fromHour, after.Hour);
        CorrectionRow? behind = after?.Hour == hour && after.Series.Length > 0 ? Row(after) : null;
        while (hour < toHour)
        {
            // A row more than wanted is never taken: what is left of a batch is read again by the next page.
            IReadOnlyList<CorrectionRow> rows = await store.ReadCorrectionsAsync(hour, behind, MaxRows, CancellationToken.None);
            foreach (CorrectionRow row in rows)
            {
                behind = row;
                seen++;
                if (row.Run == run)
                {
                    found.Add(Shown(row));
                    if (found.Count == most)
                    {
                        return new LedgerPage(found, Place(row));
                    }
                }
            }

            if (rows.Count == MaxRows)
            {
                if (seen >= MaxSeen)
                {
                    return new LedgerPage(found, Place(behind!));
                }

                continue;
            }

            hour++;
            hours++;
            behind = null;
            if ((seen >= MaxSeen || hours == MaxHours) && hour < toHour)
            {
                return new LedgerPage(found, new LedgerPlace("", hour, 0, 0)); // the begin of that hour
            }
        }

        return new LedgerPage(found, null);
    });

    public Task<int> CountOpenHoursAsync(int fromHour, int toHour, int limit) => ReadAsync(async () =>
        (await store.ReadOpenHoursAsync(fromHour, toHour, limit, CancellationToken.None)).Count);

    private static int Bound(int limit) => Math.Clamp(limit, 1, MaxRows);

    // The store looks only at where the row stands.
    private static CorrectionRow? Row(LedgerPlace? place) => place is null ? null : new CorrectionRow(
        place.Run, new WindowKey(place.Series, place.Hour, place.Chain), CorrectionCause.None, CorrectionState.Pending, [], [], 0, 0, null);

    private static LedgerPlace Place(CorrectionRow row) => new(row.Key.Series, row.Key.Hour, row.Key.Chain, row.Run);

    private static IReadOnlyList<LedgerRow> Shown(IReadOnlyList<CorrectionRow> rows) => [.. rows.Select(Shown)];

    private static LedgerRow Shown(CorrectionRow row) =>
        new(Place(row), Word(row.Cause), row.State.ToString().ToLowerInvariant(), row.Before, row.After, row.Upto, row.At, row.Detail);

    private static string Word(CorrectionCause cause) => cause == CorrectionCause.StoreDamage ? "store_damage" : cause.ToString().ToLowerInvariant();

    // Whoever asks may be another program, which does not know the exceptions of stores.
    private static async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception fault) when (fault is DbException or IOException or TimeoutException)
        {
            throw new StoreUnavailableException($"the ledger cannot be read: {fault.Message}", fault);
        }
    }
}
