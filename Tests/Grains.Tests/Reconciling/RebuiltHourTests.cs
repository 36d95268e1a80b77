using ClickAggregator.Clicks;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>An hour of which the archive may have lost clicks: what a rollup lacks of it is made up for only where it has all.</summary>
public sealed class RebuiltHourTests : IDisposable
{
    private const int Chain = 1;
    private const string Later = "campaign";
    private readonly SynchronizationContext? _before = SynchronizationContext.Current;
    private readonly World _world = new(1) { Faulty = false };
    private readonly MemoryWindows _windows;
    private readonly MemoryLedger _ledger;
    private readonly MemoryArchive _archive = new() { Upto = 10 };
    private readonly List<Archived> _clicks =
    [
        .. Enumerable.Range(0, 10).Select(n => new Archived(n, Samples.At(n, Samples.Hour + (n < 5 ? 0 : 1)), "a", $"c{n}", "k")),
    ];

    private readonly List<InvalidationSpan> _invalidations = [];

    public RebuiltHourTests()
    {
        SynchronizationContext.SetSynchronizationContext(null);
        _windows = new MemoryWindows(_world, ChainFaults.None);
        _ledger = new MemoryLedger(_world, _windows, Chain);

        // Counted before the rollup was there.
        foreach (int hour in (int[])[Samples.Hour, Samples.Hour + 1])
        {
            Store(Samples.Expected(_clicks, hour, 10, new RollupSet(RollupSet.Default.Where(rollup => rollup.ToString() != Later))), hour);
            _ledger.Marks[(hour, Chain)] = _ledger.Open[(hour, Chain)] = 10;
        }
    }

    public void Dispose() => SynchronizationContext.SetSynchronizationContext(_before);

    [Fact]
    public void What_lacks_is_rebuilt_from_a_whole_archive_whoever_asks()
    {
        _archive.Add(Samples.Rows(_clicks));
        Assert.Equal(RecountOutcome.Done, Recount(Samples.Hour, Later).Outcome);
        Assert.Equal(RecountOutcome.Done, Recount(Samples.Hour + 1, null).Outcome);
        Assert.Equal([(CorrectionCause.Rebuilt, CorrectionState.Settled, 5L), (CorrectionCause.Rebuilt, CorrectionState.Settled, 5L)],
            _ledger.Corrections.Values.Select(row => (row.Cause, row.State, row.After.Sum())));
    }

    [Fact]
    public void Where_all_clicks_were_taken_back_the_ledger_says_that_the_rollup_has_none()
    {
        _archive.Add(Samples.Rows(_clicks));
        _invalidations.Add(new InvalidationSpan(1, new InvalidationFilter(0, long.MaxValue, CampaignId: "k"), 0));
        Assert.Equal(RecountOutcome.Done, Recount(Samples.Hour, Later).Outcome);
        CorrectionRow row = Assert.Single(_ledger.Corrections.Values, row => row.Key.Series.StartsWith("campaign", StringComparison.Ordinal));
        Assert.Equal((CorrectionCause.Rebuilt, CorrectionState.Settled, 0L), (row.Cause, row.State, row.After.Sum()));
        Assert.All(_ledger.Corrections.Values.Where(other => other != row), other => Assert.Equal(CorrectionCause.Invalidated, other.Cause));

        // Once.
        int rows = _ledger.Corrections.Count;
        Assert.Equal(RecountOutcome.Done, Recount(Samples.Hour, Later).Outcome);
        Assert.Equal(rows, _ledger.Corrections.Count);
    }

    [Fact]
    public void An_hour_of_which_clicks_are_lost_is_refused_and_not_half_rebuilt()
    {
        Lose(2, 4);
        RecountResult result = Recount(Samples.Hour, Later);
        Assert.Equal((RecountOutcome.Refused, "archive_incomplete"), (result.Outcome, result.Code));
        Assert.Contains("offsets 2 to 4 of chain 1", result.Message, StringComparison.Ordinal);
        Assert.Equal("archive_incomplete", Recount(Samples.Hour, null).Code); // total has more than the archive
        Assert.Empty(_ledger.Corrections);

        // Of the other hour nothing is lost: the total says so.
        Assert.Equal(RecountOutcome.Done, Recount(Samples.Hour + 1, Later).Outcome);
        CorrectionRow row = Assert.Single(_ledger.Corrections.Values);
        Assert.Equal((CorrectionCause.Rebuilt, 5L), (row.Cause, row.After.Sum()));
    }

    [Fact]
    public void Where_nothing_counted_every_click_from_the_beginning_a_loss_is_taken_for_the_hours()
    {
        Lose(2, 4);
        Assert.Equal("archive_incomplete", Recount(Samples.Hour + 1, Later, "total", "kind", "target").Code);
        Assert.Empty(_ledger.Corrections);
    }

    [Fact]
    public void An_hour_whose_mark_is_gone_is_not_lowered_where_its_chain_lost_clicks()
    {
        Lose(2, 4);
        _ledger.Marks.Remove((Samples.Hour, Chain));
        Assert.Equal("archive_incomplete", Recount(Samples.Hour, null).Code);
        Assert.Empty(_ledger.Corrections);
    }

    [Fact]
    public void A_damaged_object_is_named()
    {
        string key = _archive.Add(Samples.Rows(_clicks));
        _archive.Objects.Content[key][9] ^= 1;
        RecountResult result = Recount(Samples.Hour, Later);
        Assert.Equal((RecountOutcome.Refused, "archive_damaged"), (result.Outcome, result.Code));
        Assert.Contains(key, result.Message, StringComparison.Ordinal);
        Assert.Empty(_ledger.Corrections);
    }

    private void Lose(long from, long to)
    {
        _archive.Lost.Add(new LostRange(from, to));
        _archive.Add(Samples.Rows(_clicks.Where(click => click.Offset < from || click.Offset >= to)));
    }

    private RecountResult Recount(int hour, string? rebuild, params string[] alsoLater)
    {
        var request = new RecountRequest(1, hour, Chain, false, Passed: false, 0, [.. _invalidations], 1, NotWhole: [Later, .. alsoLater], Rebuild: rebuild);
        var ports = new RecountPorts(_ledger, _ledger, _ledger, new Direct(this), _archive, _archive.Objects, _archive.Files, new MemoryReplay(), _world);
        var rules = new RecountRules { Young = TimeSpan.Zero };
        RecountResult? result = null;
        Exception? failure = null;
        _world.NewActor().Start(async () =>
        {
            try
            {
                result = await new HourUnit(request, ports, rules).RunAsync(CancellationToken.None);
            }
#pragma warning disable CA1031 // it is the test's result
            catch (Exception error)
#pragma warning restore CA1031
            {
                failure = error;
            }
        });
        _world.RunUntil(() => result is not null || failure is not null, 100_000);
        Assert.Null(failure);
        return result!;
    }

    private void Store(SortedDictionary<string, long[]> counts, int hour)
    {
        foreach ((string series, long[] minutes) in counts)
        {
            Write(new WindowKey(series, hour, Chain), minutes, HourComparison.Quarters(minutes), null);
        }
    }

    private void Write(WindowKey key, long[]? minutes, long[] quarters, string? run)
    {
        _windows.Rows[key] = new WindowRow { Minutes = minutes?.ToArray(), Quarters = [.. quarters], Upto = 10, Stamp = 1, Run = run };
        if (!_windows.Days.TryGetValue((key.Series, key.Hour / 24), out long[]? day))
        {
            _windows.Days[(key.Series, key.Hour / 24)] = day = new long[96];
        }

        quarters.CopyTo(day, key.Hour % 24 * 4);
        if (key.Series.StartsWith("ad:", StringComparison.Ordinal))
        {
            var top = new TopKey(TargetKind.Ad, TopSlice.Hour, key.Hour, Chain);
            _windows.Tops[top] = new TopList(top, [new TopEntry(key.Series[3..], quarters.Sum())], 0);
        }
    }

    /// <summary>Corrections that are done at once.</summary>
    private sealed class Direct(RebuiltHourTests test) : ICountedChains
    {
        public Task<CountedChain> GetAsync(int chain, CancellationToken cancellationToken) =>
            Task.FromResult(new CountedChain(CountedChainState.Counted, 10, Samples.At(0, Samples.Hour + 3)));

        public Task<long?> CountedToAsync(int chain, CancellationToken cancellationToken) => Task.FromResult<long?>(10);

        public Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections, CancellationToken cancellationToken)
        {
            foreach (WindowRecount each in corrections)
            {
                test.Write(new WindowKey(each.Series, each.Hour, chain), each.Minutes, each.Quarters, each.Run);
            }

            return Task.FromResult<IReadOnlyList<WindowOutcome>?>([.. corrections.Select(_ => WindowOutcome.Applied)]);
        }

        public Task<IReadOnlyList<int>> MixedWithAsync(int chain, int hour) => Task.FromResult<IReadOnlyList<int>>([]);

        public Task<bool> FenceAsync(int chain, long order, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}
