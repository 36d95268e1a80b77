using System.Reflection;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Tests.Ledger;

/// <summary>A grain factory that gives out some grains of the test's own, and all others for real.</summary>
/// <remarks>States that reality is in for a moment only, at times of its own, can be looked at this way.</remarks>
public class ScriptedGrains : DispatchProxy
{
    private IGrainFactory? _real;
    private Func<Type, object?> _own = _ => null;

    public static IGrainFactory Over(IGrainFactory real, Func<Type, object?> own)
    {
        IGrainFactory made = Create<IGrainFactory, ScriptedGrains>();
        ((ScriptedGrains)made)._real = real;
        ((ScriptedGrains)made)._own = own;
        return made;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        (targetMethod!.IsGenericMethod ? _own(targetMethod.GetGenericArguments()[0]) : null) ?? targetMethod.Invoke(_real, args);
}

/// <summary>A grain's interface over an object that has its methods, or some of them. It is no grain's class: Orleans would take one up.</summary>
public class ScriptedGrain : DispatchProxy
{
    private object? _own;
    private object? _real;

    /// <param name="own">Has methods of the interface, by name.</param>
    /// <param name="real">What has the others; null where there are none.</param>
    public static T Over<T>(object own, T? real = null)
        where T : class
    {
        T made = Create<T, ScriptedGrain>();
        ((ScriptedGrain)(object)made)._own = own;
        ((ScriptedGrain)(object)made)._real = real;
        return made;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        try
        {
            return _own!.GetType().GetMethod(targetMethod!.Name) is { } method ? method.Invoke(_own, args) : targetMethod.Invoke(_real, args);
        }
        catch (TargetInvocationException fault) when (fault.InnerException is { } inner)
        {
            throw inner;
        }
    }
}

/// <summary>Reconciliation as a test says that it is; it keeps what it was asked for.</summary>
internal sealed class ScriptedReconciliation
{
    public List<ReconciliationRun> Runs { get; } = [];

    public List<Invalidation> Invalidations { get; } = [];

    public List<ClosedPeriod> Periods { get; } = [];

    public List<object> Asked { get; } = [];

    public Exception? Refusal { get; set; }

    public Task TouchAsync() => Task.CompletedTask;

    public Task<ReconciliationRun> StartAsync(RunRequest request)
    {
        Ask(request);
        var run = new ReconciliationRun(100, request, "asked", RunState.Waiting, 1_800_000_000_000, null, null, 0, 0, 0, 0, 0, []);
        return Task.FromResult(run);
    }

    public Task<IReadOnlyList<ReconciliationRun>> RebuildAsync(string rollup, int? fromHour, bool dryRun, string? by)
    {
        Ask((rollup, fromHour, dryRun, by));
        var request = new RunRequest(LedgerServer.Hour - 9, LedgerServer.Hour, RunMode.Direct, dryRun, by, new RollupRebuild(rollup, int.MinValue, 0));
        return Task.FromResult<IReadOnlyList<ReconciliationRun>>(
            [new ReconciliationRun(102, request, "rebuild", RunState.Waiting, 1_800_000_000_000, null, null, 0, 0, 0, 0, 0, [], 1_800_000_600_000)]);
    }

    public Task<ReconciliationRun?> GetRunAsync(long number) => Task.FromResult(Runs.FirstOrDefault(run => run.Number == number));

    public Task<IReadOnlyList<ReconciliationRun>> GetRunsAsync(long? below, int limit) =>
        Task.FromResult<IReadOnlyList<ReconciliationRun>>([.. Runs.OrderByDescending(run => run.Number).Where(run => !(run.Number >= below)).Take(limit)]);

    public Task<LedgerPosition> GetPositionAsync() => Task.FromResult(new LedgerPosition(LedgerServer.Hour, 17));

    public Task<Invalidation> InvalidateAsync(InvalidationRequest request)
    {
        Ask(request);
        return Task.FromResult(new Invalidation(5, request, 1_800_000_000_000, 4));
    }

    public Task<Invalidation?> RevokeAsync(long number, string? by)
    {
        Ask((number, by));
        Invalidation? one = Invalidations.FirstOrDefault(one => one.Number == number);
        return Task.FromResult(one is null ? null : one with { RevokedAt = 1_800_000_000_000, RevokedBy = by, RevokingRun = 101 });
    }

    public Task<IReadOnlyList<Invalidation>> GetInvalidationsAsync(long? below, int limit) =>
        Task.FromResult<IReadOnlyList<Invalidation>>([.. Invalidations.OrderByDescending(one => one.Number).Where(one => !(one.Number >= below)).Take(limit)]);

    public Task<ClosedPeriod> ClosePeriodAsync(int month, string? by)
    {
        Ask((month, by));
        return Task.FromResult(new ClosedPeriod(month, 17, 1_800_000_000_000, by));
    }

    public Task<IReadOnlyList<ClosedPeriod>> GetPeriodsAsync() => Task.FromResult<IReadOnlyList<ClosedPeriod>>(Periods);

    private void Ask(object what)
    {
        Asked.Add(what);
        if (Refusal is { } refusal)
        {
            throw refusal;
        }
    }
}

/// <summary>The real counts, with what a test says of their finality.</summary>
internal sealed class ScriptedSeries(ISeriesGrain real)
{
    /// <summary>Of which hours of a range it is known what is final.</summary>
    public Func<SeriesRange, RangeFinality?> Finality { get; set; } = _ => null;

    /// <summary>Clicks at a version; an exception where it is not final.</summary>
    public Func<SeriesRange, long>? AtVersion { get; set; }

    public async Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken)
    {
        SeriesSums sums = await real.SumAsync(range with { Version = null }, cancellationToken);
        return sums with
        {
            Finality = Finality(range),
            Counts = range.Version is null || AtVersion is null ? sums.Counts : [.. sums.Counts.Select(count => count with { Clicks = AtVersion(range) })],
        };
    }
}
