using ClickAggregator.Api.Ledger;
using ClickAggregator.Api.Queries;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>What of an answer is final, by the hours that are not.</summary>
public class FinalityTests
{
    private const int Hour = 490_000;
    private const long Minute = Hour * 60L;

    [Theory]
    [InlineData(0, 60, true)]
    [InlineData(0, 61, true)]
    [InlineData(59, 61, true)]
    [InlineData(0, 121, false)]
    [InlineData(120, 121, false)]
    [InlineData(179, 180, false)]
    [InlineData(180, 240, true)]
    [InlineData(0, 240, false)]
    [InlineData(299, 300, true)]
    [InlineData(300, 301, false)]
    [InlineData(299, 301, false)]
    public void A_span_is_final_if_every_hour_that_it_touches_is(int from, int to, bool final)
    {
        var known = new RangeFinality(Minute + 120, 7, [Hour + 2], Hour + 5);
        Assert.Equal([final], Finality.OfPoints(known, [Minute + from, Minute + to]));
    }

    [Fact]
    public void Points_are_told_apart_hour_by_hour()
    {
        var known = new RangeFinality(Minute, 7, [Hour, Hour + 3, Hour + 4], Hour + 7);
        Assert.Equal(
            [false, true, true, false, false, true, true, false, false],
            Finality.OfPoints(known, [.. Enumerable.Range(0, 10).Select(n => Minute + (n * 60L))]));
        Assert.Equal([false, false], Finality.OfPoints(known, [Minute, Minute + 1440, Minute + 2880]));
    }

    [Fact]
    public void Nothing_is_final_where_nothing_is_known() => Assert.Equal([false, false], Finality.OfPoints(null, [Minute, Minute + 1, Minute + 2]));

    [Fact]
    public void The_end_of_what_is_final_is_told_only_behind_the_begin()
    {
        var sums = new SeriesSums([], Minute, Minute + 600, 0, false);
        Assert.Null(Finality.Until(sums));
        Assert.Null(Finality.Version(sums));
        Assert.Null(Finality.Until(sums with { Finality = new RangeFinality(Minute, 3, [Hour], Hour + 9) }));
        Assert.Equal(Minute + 60, Finality.Until(sums with { Finality = new RangeFinality(Minute + 60, 3, [Hour + 1], Hour + 9) }));
        Assert.Null(Finality.Version(sums with { Finality = new RangeFinality(Minute, 0, [], Hour) }));
        Assert.Equal(3, Finality.Version(sums with { Finality = new RangeFinality(Minute, 3, [], Hour) }));
    }

    [Fact]
    public void Numbers_that_were_read_one_after_the_other_are_final_where_both_are_and_of_one_version()
    {
        var one = new RangeFinality(Minute + 120, 7, [Hour + 2], Hour + 9);
        RangeFinality? both = Finality.Both(one, new RangeFinality(Minute + 60, 7, [Hour + 1, Hour + 2], Hour + 5));
        Assert.NotNull(both);
        Assert.Equal((Minute + 60, 7, Hour + 5), (both.FinalUntil, both.Version, both.ProvisionalFrom));
        Assert.Equal([Hour + 1, Hour + 2], both.Provisional);
        Assert.Null(Finality.Both(one, one with { Version = 8 }));
        Assert.Null(Finality.Both(one, null));
        Assert.Null(Finality.Both(null, one));
    }

    [Theory]
    [InlineData(null, 0L, 10, null)]
    [InlineData(1000L, null, 0, null)]
    [InlineData(1000L, null, 5, 10L)]
    [InlineData(1000L, null, 10, 0L)]
    [InlineData(1000L, 2000L, 3, 0L)]
    public void The_time_left_of_a_run_is_what_its_hours_took_so_far(long? started, long? ended, int done, long? left)
    {
        var run = new ReconciliationRun(1, new RunRequest(0, 10, RunMode.Direct, false, null), "asked", RunState.Running, 0, started, ended is 0 ? null : ended, 10, done, 0, 0, 0, []);
        Assert.Equal(left, RunQueries.SecondsLeft(run, DateTimeOffset.FromUnixTimeMilliseconds(11_000)));
    }
}
