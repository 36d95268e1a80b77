using ClickAggregator.Clicks;

namespace ClickAggregator.Grains.Reconciling;

/// <content>Invalidations, and periods.</content>
internal sealed partial class ReconciliationGrain
{
    private const int MostInvalidations = 10_000;
    private const int MostReason = 1000;
    private const int PeriodTries = 5;
    private static readonly TimeSpan LongestFilter = TimeSpan.FromDays(400);

    public async Task<Invalidation> InvalidateAsync(InvalidationRequest request)
    {
        InvalidationFilter filter = request.Filter;
        if (filter.FromTime >= filter.ToTime || filter.FromTime < OldestHour * HourMilliseconds)
        {
            throw new ReconciliationRefusedException("invalid_range", "the range must not be empty, and begin in 2000 or later");
        }

        if (filter.ToTime - filter.FromTime > LongestFilter.TotalMilliseconds)
        {
            throw new ReconciliationRefusedException("range_too_large", Text($"an invalidation may cover {LongestFilter.TotalDays} days"));
        }

        if (filter.TargetId is not null && filter.Kind == TargetKind.None)
        {
            throw new ReconciliationRefusedException("invalid_filter", "a target needs its kind");
        }

        if (string.IsNullOrWhiteSpace(request.Reason) || request.Reason.Length > MostReason)
        {
            throw new ReconciliationRefusedException("invalid_reason", Text($"a reason of at most {MostReason} characters is needed"));
        }

        if (invalidations.State.Erasing.Find(one => one.UserId == filter.UserId || filter.Referrer is not null) is { } erasing)
        {
            throw new ReconciliationRefusedException(
                "erasure_under_way",
                Text($"erasure {erasing.Erasure} is under way, and clears what this asks for: users, and the referrers of a user's clicks. Once it is done, this can be asked for again"));
        }

        int from = (int)(filter.FromTime / HourMilliseconds);
        int to = Hours(filter).To;
        ThrowIfForgotten(from);
        ThrowIfMany();
        InvalidationsDocument state = invalidations.State;
        if (state.Invalidations.Count >= MostInvalidations)
        {
            throw new ReconciliationRefusedException("too_many_invalidations", Text($"{MostInvalidations:N0} invalidations are kept"));
        }

        // The invalidation first: whatever is recounted from then on leaves its clicks out. Its run follows, or is made up for.
        var kept = new KeptInvalidation(new Invalidation(state.Next, request, Now, runs.State.Next), request.DryRun ? null : ++state.Events, null);
        state.Next++;
        state.Invalidations.Add(kept);
        await WriteOrReadAsync(invalidations);
        await EnqueueAsync(New(new RunRequest(from, to, options.Mode, request.DryRun, request.By), "invalidation", onlyOpen: false, candidate: request.DryRun ? kept.Invalidation.Number : null));
        return kept.Invalidation;
    }

    public async Task<Invalidation?> RevokeAsync(long number, string? by)
    {
        List<KeptInvalidation> all = invalidations.State.Invalidations;
        int place = all.FindIndex(one => one.Invalidation.Number == number);
        if (place < 0)
        {
            return null;
        }

        KeptInvalidation kept = all[place];
        if (kept.From is null)
        {
            throw new ReconciliationRefusedException("dry_run", "it was only reported; there is nothing to take back");
        }

        if (kept.To is not null)
        {
            return kept.Invalidation;
        }

        ThrowIfMany();
        all[place] = kept = new KeptInvalidation(
            kept.Invalidation with { RevokedAt = Now, RevokedBy = by, RevokingRun = runs.State.Next }, kept.From, ++invalidations.State.Events);
        await WriteOrReadAsync(invalidations);
        (int from, int to) = Hours(kept.Invalidation.Request.Filter);
        await EnqueueAsync(New(new RunRequest(from, to, options.Mode, false, by), "revocation", onlyOpen: false));
        return kept.Invalidation;
    }

    public Task<IReadOnlyList<Invalidation>> GetInvalidationsAsync(long? below, int limit) => Task.FromResult<IReadOnlyList<Invalidation>>(
        [.. invalidations.State.Invalidations.Select(one => one.Invalidation).Where(one => !(one.Number >= below)).OrderByDescending(one => one.Number).Take(Math.Clamp(limit, 1, 1000))]);

    public async Task<IReadOnlyList<InvalidationSpan>> BeginErasureAsync(long erasure, string userId)
    {
        InvalidationsDocument state = invalidations.State;
        if (!state.Erasing.Contains(new ErasingUser(erasure, userId)))
        {
            state.Erasing.Add(new ErasingUser(erasure, userId));
            await WriteOrReadAsync(invalidations);
        }

        return
        [
            .. state.Invalidations.Select(one => one.Span)
                .Where(one => one.Filter.UserId == userId || (one.Filter.UserId is null && one.Filter.Referrer is not null)),
        ];
    }

    public async Task EndErasureAsync(long erasure)
    {
        if (invalidations.State.Erasing.RemoveAll(one => one.Erasure == erasure) > 0)
        {
            await WriteOrReadAsync(invalidations);
        }
    }

    public async Task<ClosedPeriod> ClosePeriodAsync(int month, string? by)
    {
        if (periods.State.Periods.Find(period => period.Month == month) is { } closed)
        {
            return closed;
        }

        if (month is < 360 or > 95_999)
        {
            throw new ReconciliationRefusedException("invalid_month", "the month must lie between 2000 and 9969");
        }

        int from = HourOf(month);
        int to = HourOf(month + 1);
        for (int attempt = 0; attempt < PeriodTries; attempt++)
        {
            LedgerPosition asked = _position;
            if (_position.Through < to)
            {
                throw new ReconciliationRefusedException("not_final", $"hours from {Time(Math.Max(from, _position.Through))} on were not recounted yet");
            }

            IReadOnlyList<HourMark> open = await ledger.ReadOpenHoursAsync(from, to, int.MaxValue, _stop.Token);
            Dictionary<(int, int), long> finalUpTo = open.Count == 0 ? []
                : (await ledger.ReadFinalsAsync(from, to, _stop.Token)).ToDictionary(final => (final.Hour, final.Chain), final => final.Upto);
            foreach (HourMark mark in open)
            {
                // Clicks that came to it since it was final are the adjustment's; whatever else is done to it now has to end first.
                if (!finalUpTo.TryGetValue((mark.Hour, mark.Chain), out long upto) || mark.Upto <= upto)
                {
                    throw new ReconciliationRefusedException("not_final", $"the hour {Time(mark.Hour)} is not final");
                }
            }

            // Finalisations meanwhile would have a later version; and no hour that is open may get one that was given out already.
            if (asked.Version == _position.Version && (open.Count == 0 || asked.IsSettled(asked.Version)))
            {
                var period = new ClosedPeriod(month, asked.Version, Now, by);
                periods.State.Periods = [.. periods.State.Periods.Append(period).OrderBy(one => one.Month)];
                await WriteOrReadAsync(periods);
                return period;
            }
        }

        throw new ReconciliationRefusedException("not_final", "hours become final just now; try again");
    }

    public Task<IReadOnlyList<ClosedPeriod>> GetPeriodsAsync() => Task.FromResult<IReadOnlyList<ClosedPeriod>>([.. periods.State.Periods]);

    /// <summary>An invalidation that was stored and whose run was not, because this grain died in between, gets its run.</summary>
    private async Task EnqueueMissingAsync()
    {
        foreach (KeptInvalidation kept in invalidations.State.Invalidations.ToList())
        {
            (int from, int to) = Hours(kept.Invalidation.Request.Filter);
            if (kept.Invalidation.Run >= runs.State.Next)
            {
                await EnqueueAsync(New(
                    new RunRequest(from, to, options.Mode, kept.Invalidation.Request.DryRun, kept.Invalidation.Request.By), "invalidation", onlyOpen: false,
                    candidate: kept.Invalidation.Request.DryRun ? kept.Invalidation.Number : null));
            }

            if (kept.Invalidation.RevokingRun >= runs.State.Next)
            {
                await EnqueueAsync(New(new RunRequest(from, to, options.Mode, false, kept.Invalidation.RevokedBy), "revocation", onlyOpen: false));
            }
        }
    }

    /// <summary>The hours that a filter touches and that can be recounted now: later ones leave its clicks out when they are.</summary>
    private (int From, int To) Hours(InvalidationFilter filter)
    {
        int from = (int)(filter.FromTime / HourMilliseconds);
        return (from, Math.Max(from, (int)Math.Min(YoungFrom, (filter.ToTime + HourMilliseconds - 1) / HourMilliseconds)));
    }

    private static int HourOf(int month) =>
        (int)(new DateTimeOffset(1970 + (month / 12), (month % 12) + 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds() / 3600);
}
