using ClickAggregator.Clicks;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>How much is read for the top lists of an hour.</summary>
public class TopComparisonTests
{
    private const int Chain = 1;
    private const int Day = 20_000;
    private readonly World _world = new(1) { Faulty = false };
    private readonly MemoryWindows _windows;
    private readonly MemoryLedger _ledger;

    public TopComparisonTests()
    {
        _windows = new MemoryWindows(_world, ChainFaults.None);
        _ledger = new MemoryLedger(_world, _windows, Chain);
        foreach (int hour in new[] { 3, 4 })
        {
            _windows.Rows[new WindowKey("ad:a", (Day * 24) + hour, Chain)] = new WindowRow { Quarters = [1, 0, 0, 0], Stamp = 1 };
            Put(TopSlice.Hour, (Day * 24) + hour, 1);
        }

        _windows.Days[("ad:a", Day)] = new long[96];
        Put(TopSlice.Day, Day, 2);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public void Of_kinds_that_nobody_clicks_no_other_hour_of_the_day_is_read(int hour) => Assert.InRange(HoursReadFor(hour), 0, 1);

    [Fact]
    public void In_the_last_hour_of_a_day_the_others_are_read() => Assert.Equal(23, HoursReadFor(23));

    [Fact]
    public void Where_a_days_list_is_gone_that_the_hour_has_clicks_for_the_others_are_read()
    {
        _windows.Tops.Remove(new TopKey(TargetKind.Ad, TopSlice.Day, Day, Chain));
        Assert.Equal(23, HoursReadFor(3));
        _windows.Tops.Remove(new TopKey(TargetKind.Ad, TopSlice.Hour, (Day * 24) + 3, Chain));
        Assert.InRange(HoursReadFor(3), 23, 24);
        Assert.InRange(HoursReadFor(7), 0, 1);
    }

    private int HoursReadFor(int hour)
    {
        var ports = new RecountPorts(_ledger, _ledger, _ledger, null!, null!, null!, null!, null!, _world);
        var tops = new TopComparison(ports, new RecountRules(), (Day * 24) + hour, Chain);
        int before = _ledger.HoursRead;
        bool done = false;
        _world.NewActor().Start(async () =>
        {
            await tops.LoadAsync(long.MaxValue, CancellationToken.None);
            done = true;
        });
        Assert.True(_world.RunUntil(() => done, 100_000));
        return _ledger.HoursRead - before;
    }

    private void Put(TopSlice slice, int start, long clicks)
    {
        var key = new TopKey(TargetKind.Ad, slice, start, Chain);
        _windows.Tops[key] = new TopList(key, [new TopEntry("a", clicks)], 0);
    }
}
