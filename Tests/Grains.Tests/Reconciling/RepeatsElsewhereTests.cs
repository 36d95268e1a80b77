using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>An hour around which partitions were added: a click and its repeat lie in two chains.</summary>
public sealed class RepeatsElsewhereTests : IDisposable
{
    private const int Hour = Samples.Hour;
    private readonly SynchronizationContext? _before = SynchronizationContext.Current;
    private readonly MemoryObjects _objects = new();

    public RepeatsElsewhereTests() => SynchronizationContext.SetSynchronizationContext(null);

    public void Dispose() => SynchronizationContext.SetSynchronizationContext(_before);

    [Theory]
    [InlineData(1_000_000, 1_000_000)]
    [InlineData(20, 7)]
    public async Task Of_all_clicks_with_one_id_the_one_that_was_taken_first_counts_whatever_chain_it_is_in(int maxClicks, int maxReplayed)
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            int chains = random.Next(2, 5);
            List<Archived>[] clicks = [.. Enumerable.Range(0, chains).Select(_ => HourRecountTests.Draw(random, random.Next(0, 60)))];
            Dictionary<int, MemoryArchive> archives = Enumerable.Range(0, chains).ToDictionary(chain => chain, chain => Archive(chain, clicks[chain], random));
            int? days = random.Next(2) == 0 ? 1 : null;
            var bounds = new RecountBounds(random.Next(5, 60), maxClicks, maxReplayed);
            long counted = 0;
            foreach (int chain in archives.Keys)
            {
                HourReader Reader(int of) => new(archives[of], _objects, archives[of].Files, of, Hour);
                var question = new HourQuestion(Hour, archives[chain].Upto, HourRecountTests.Rollups, TakenBack.Nothing, days);
                int parts = random.Next(1, 4);
                var repeats = new RepeatsElsewhere(question, chain);
                for (int part = 0; part < parts; part++)
                {
                    await repeats.NoteAsync(Reader(chain), part, parts, CancellationToken.None);
                    foreach (int other in archives.Keys.Where(other => other != chain))
                    {
                        await repeats.FindAsync(Reader(other), other, archives[other].Upto, long.MaxValue, CancellationToken.None);
                    }
                }

                question = question with { Elsewhere = repeats.Found };
                long rows = (await archives[chain].GetHourAsync(chain, Hour)).Objects.Sum(one => one.HourRows);
                var recount = new HourRecount(Reader(chain), question, rows, bounds, 1);
                var request = new RecountRequest(1, Hour, chain, false, false, 0, [], 1);
                var replay = new HourReplay(request, Reader(chain), question, new MemoryReplay(), chain, rows, bounds, 1);
                while (await recount.NextAsync(CancellationToken.None))
                {
                    await replay.ConfirmAsync(recount.Table, CancellationToken.None);
                }

                counted += recount.Counted;
            }

            var counting = clicks.SelectMany((some, chain) => some.Where(click =>
                click.Hour == Hour && !click.Duplicate && !(days is int kept && click.Appended - click.Time > kept * 86_400_000L)).Select(click => (click, chain))).ToList();
            Assert.Equal(counting.Count(one => one.click.Id.Length == 0) + counting.Where(one => one.click.Id.Length > 0).DistinctBy(one => (one.click.Ad, one.click.Id)).Count(), counted);
        }
    }

    [Fact]
    public void What_counted_twice_counts_once_and_the_ledger_says_why()
    {
        var hour = new MixedHour(this);
        hour.Take(0, (1, 1_000), (2, 2_000));
        hour.Take(1, (2, 3_000), (3, 4_000)); // click 2 was sent again, behind the change
        Assert.Equal(RecountOutcome.Done, hour.Recount(1).Outcome);
        Assert.Equal((2, 1), (hour.Clicks(0), hour.Clicks(1)));
        Assert.All(hour.Ledger.Corrections.Values, row => Assert.Equal((CorrectionCause.Duplicate, 2L, 1L), (row.Cause, row.Before.Sum(), row.After.Sum())));
        Assert.Equal(RecountOutcome.Done, hour.Recount(0).Outcome);
        Assert.Equal((2, 1), (hour.Clicks(0), hour.Clicks(1)));
    }

    [Fact]
    public void Where_nothing_changed_nobody_looks_at_other_chains()
    {
        var hour = new MixedHour(this) { IsMixed = false };
        hour.Take(0, (2, 2_000));
        hour.Take(1, (2, 3_000));
        Assert.Equal(RecountOutcome.Done, hour.Recount(1).Outcome);
        Assert.Equal((1, 1), (hour.Clicks(0), hour.Clicks(1)));
    }

    [Fact]
    public void It_waits_for_chains_that_are_behind_with_counting_or_archiving()
    {
        var hour = new MixedHour(this);
        hour.Take(0, (1, 1_000));
        hour.Take(1, (1, 3_000));
        hour.Chains[0] = hour.Chains[0] with { CountedUntil = Samples.At(0) + 2_999 };
        Assert.Equal((RecountOutcome.Again, "counting_behind"), Of(hour.Recount(1)));
        hour.Chains[0] = new CountedChain(CountedChainState.Standing, 0, 0, "log_replaced");
        Assert.Equal((RecountOutcome.Again, "counting_stopped"), Of(hour.Recount(1)));
        hour.Chains[0] = new CountedChain(CountedChainState.Counted, 10, Samples.At(0, Hour + 3));
        hour.Ledger.Marks[(Hour, 0)] = 5;
        Assert.Equal((RecountOutcome.Again, "archive_behind"), Of(hour.Recount(1)));
        Assert.Empty(hour.Ledger.Corrections);
        hour.Ledger.Marks[(Hour, 0)] = 1;
        Assert.Equal(RecountOutcome.Done, hour.Recount(1).Outcome);
        Assert.Equal(0, hour.Clicks(1));
    }

    [Fact]
    public void What_a_log_that_was_left_never_counted_takes_nothing_away()
    {
        var hour = new MixedHour(this);
        hour.Take(0, (1, 1_000), (2, 2_000));
        hour.Take(1, (1, 3_000), (2, 4_000));
        hour.Chains[0] = new CountedChain(CountedChainState.Over, long.MaxValue, long.MaxValue / 4, "its log was left for another");
        hour.Ledger.Marks[(Hour, 0)] = 1; // the last batch that touched the hour ended before click 2
        Assert.Equal(RecountOutcome.Done, hour.Recount(1).Outcome);
        Assert.Equal(1, hour.Clicks(1));
    }

    [Fact]
    public void Damage_in_another_chain_lowers_nothing()
    {
        var hour = new MixedHour(this);
        hour.Take(0, (1, 1_000));
        hour.Take(1, (1, 3_000));
        _objects.Content[_objects.Content.Keys.First(key => key.StartsWith("0/", StringComparison.Ordinal))][9] ^= 1;
        Assert.Equal((RecountOutcome.Refused, "archive_damaged"), Of(hour.Recount(1)));
        Assert.Equal(1, hour.Clicks(1));
    }

    private static (RecountOutcome, string?) Of(RecountResult result) => (result.Outcome, result.Code);

    private MemoryArchive Archive(int chain, List<Archived> clicks, Random random)
    {
        var archive = new MemoryArchive(_objects, $"{chain}") { Upto = clicks.Count == 0 ? 1 : clicks[^1].Offset + 1 };
        foreach (Archived[] some in clicks.Chunk(random.Next(1, 30)).OrderBy(_ => random.Next()))
        {
            archive.Add(Samples.Rows(some));
        }

        return archive;
    }

    /// <summary>One hour of chains 0 and 1, counted as the stream counts it: each chain by itself.</summary>
    private sealed class MixedHour : ICountedChains, IHourArchive
    {
        private static readonly RollupSet s_rollups = new([new Rollup(RollupBase.Total)]);
        private readonly RepeatsElsewhereTests _test;
        private readonly World _world = new(1) { Faulty = false };
        private readonly MemoryWindows _windows;
        private readonly Dictionary<int, MemoryArchive> _archives = [];
        private long _run;

        public MixedHour(RepeatsElsewhereTests test)
        {
            _test = test;
            _windows = new MemoryWindows(_world, ChainFaults.None);
            Ledger = new MemoryLedger(_world, _windows, 1);
        }

        public MemoryLedger Ledger { get; }

        public bool IsMixed { get; init; } = true;

        public Dictionary<int, CountedChain> Chains { get; } = [];

        /// <summary>A chain took clicks, by number, and when (milliseconds into the hour).</summary>
        public void Take(int chain, params (int Click, long At)[] clicks)
        {
            List<Archived> all = [.. clicks.Select((click, n) => new Archived(n, Samples.At(0) + click.At, "a", $"c{click.Click}"))];
            _archives[chain] = _test.Archive(chain, all, new Random(1));
            Chains[chain] = new CountedChain(CountedChainState.Counted, clicks.Length, Samples.At(0, Hour + 3));
            Ledger.Marks[(Hour, chain)] = Ledger.Open[(Hour, chain)] = clicks.Length;
            foreach ((string series, long[] minutes) in Samples.Expected(all, Hour, clicks.Length, s_rollups))
            {
                Write(new WindowKey(series, Hour, chain), minutes, HourComparison.Quarters(minutes), null);
            }
        }

        public long Clicks(int chain) => _windows.Rows[new WindowKey("total", Hour, chain)].Quarters.Sum();

        public RecountResult Recount(int chain)
        {
            var request = new RecountRequest(++_run, Hour, chain, false, Passed: false, 0, [], 1, Mode: _run % 2 == 0 ? RunMode.Direct : RunMode.Republish);
            var ports = new RecountPorts(Ledger, Ledger, Ledger, this, this, _test._objects, _archives[chain].Files, new MemoryReplay(), _world);
            Task<RecountResult>? result = null;
            _world.NewActor().Start(() => result = new HourUnit(request, ports, new RecountRules { Rollups = s_rollups, Young = TimeSpan.Zero }).RunAsync(CancellationToken.None));
            _world.RunUntil(() => result?.IsCompleted == true, 100_000);
            Assert.True(result!.IsCompletedSuccessfully, result.Exception?.ToString());
#pragma warning disable xUnit1031 // it is complete
            return result.Result;
#pragma warning restore xUnit1031
        }

        public Task<CountedChain> GetAsync(int chain, CancellationToken cancellationToken) => Task.FromResult(Chains[chain]);

        public Task<IReadOnlyList<int>> MixedWithAsync(int chain, int hour) => Task.FromResult<IReadOnlyList<int>>(IsMixed ? [.. Chains.Keys.Where(other => other != chain)] : []);

        public async Task<long?> CountedToAsync(int chain, CancellationToken cancellationToken) => (await GetAsync(chain, cancellationToken)).Next;

        public Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections, CancellationToken cancellationToken)
        {
            foreach (WindowRecount each in corrections)
            {
                Write(new WindowKey(each.Series, each.Hour, chain), each.Minutes, each.Quarters, each.Run);
            }

            return Task.FromResult<IReadOnlyList<WindowOutcome>?>([.. corrections.Select(_ => WindowOutcome.Applied)]);
        }

        public Task<bool> FenceAsync(int chain, long order, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<ArchiveProgress> GetProgressAsync(int chain) => _archives[chain].GetProgressAsync(chain);

        public Task<long?> GetLogEndAsync(int chain) => _archives[chain].GetLogEndAsync(chain);

        public Task<ArchivedHour> GetHourAsync(int chain, int hour) => _archives[chain].GetHourAsync(chain, hour);

        private void Write(WindowKey key, long[]? minutes, long[] quarters, string? run)
        {
            _windows.Rows[key] = new WindowRow { Minutes = minutes?.ToArray(), Quarters = [.. quarters], Upto = Chains[key.Chain].Next, Stamp = 1, Run = run };
            long[] day = new long[96];
            quarters.CopyTo(day, key.Hour % 24 * 4);
            _windows.Days[(key.Series, key.Hour / 24)] = day;
        }
    }
}
