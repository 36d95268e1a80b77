using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Partitions;

public class RollupHistoryGrainTests
{
    private const string Plain = "target";
    private const string Later = "target|country";
    private readonly World _world = new(1);
    private readonly RollupHistoryGrain _grain;

    public RollupHistoryGrainTests() => _grain = new RollupHistoryGrain(new MemoryState<RollupHistory>(), _world);

    // The first whole hour, where it is switched on now: the world begins on the hour.
    private int Next => (int)(_world.Now / 3_600_000) + 1;

    [Fact]
    public async Task What_was_there_from_the_first_is_whole_and_what_comes_later_from_the_next_hour_on()
    {
        Assert.Empty(await _grain.GetStartsAsync());
        await NoteAsync(0, Plain);
        await NoteAsync(1, Plain);
        Assert.True((await StartAsync(Plain)).Covers(int.MinValue, int.MaxValue));
        await NoteAsync(0, Plain, Later);

        // A partition that still counts without it has clicks of every hour to come.
        RollupStart start = await StartAsync(Later);
        Assert.Equal((1, Next), (start.Lacking, start.Hour));
        Pass(hours: 3);
        Assert.Equal(Next, (await StartAsync(Later)).Hour);
        await NoteAsync(1, Plain, Later);
        start = await StartAsync(Later);
        Assert.Equal((null, Next), (start.Lacking, start.Hour));
        Assert.Equal((true, false), (start.Covers(Next, Next + 100), start.Covers(Next - 1, Next + 100)));
    }

    [Fact]
    public async Task Partitions_of_a_log_that_was_left_lack_nothing()
    {
        await NoteAsync(0, Plain);
        await NoteAsync(1, Plain);
        await _grain.NoteAsync(0, "another", [Plain, Later]);
        Assert.Null((await StartAsync(Later)).Lacking);
    }

    [Fact]
    public async Task What_was_made_up_for_is_whole_but_for_the_gaps()
    {
        await NoteAsync(0, Plain);
        await NoteAsync(0, Plain, Later);
        int end = Next;
        RollupStart start = await StartAsync(Later);
        Assert.True(await RebuiltAsync(start, 5, (int.MinValue, end - 20), (end - 19, end - 2)));
        start = await StartAsync(Later);
        Assert.Equal((end, 5L), (start.WholeFrom, start.RebuiltAt));
        Assert.True(start.Covers(0, end - 20) && start.Covers(end - 19, end - 2) && start.Covers(end, end + 9));
        Assert.False(start.Covers(0, end - 19) || start.Covers(end - 20, end - 19) || start.Covers(end - 19, end - 1) || start.Covers(end - 19, end + 1));

        Assert.True(await RebuiltAsync(start, 7, (end - 2, end)));
        Assert.Equal((end - 19, 7L), ((await StartAsync(Later)).WholeFrom, (await StartAsync(Later)).RebuiltAt));

        // A repeat changes nothing, not even the version.
        Assert.True(await RebuiltAsync(start, 9, (end - 2, end)));
        Assert.Equal(7, (await StartAsync(Later)).RebuiltAt);
        Assert.True(await RebuiltAsync(start, 11, (end - 20, end - 19)));
        Assert.Equal(int.MinValue, (await StartAsync(Later)).WholeFrom);
    }

    [Fact]
    public async Task One_that_was_switched_off_begins_anew_and_nothing_that_was_asked_before_is_noted()
    {
        await NoteAsync(0, Plain, Later);
        RollupStart before = await StartAsync(Later);
        Assert.Equal(int.MinValue, before.Hour);
        await NoteAsync(0, Plain);
        Assert.Equal(Plain, Assert.Single((await _grain.GetStartsAsync()).Keys));
        await NoteAsync(0, Plain, Later);
        Assert.False(await RebuiltAsync(before, 5, (int.MinValue, Next)));
        RollupStart start = await StartAsync(Later);
        Assert.Equal((Next, 0), (start.Hour, start.Rebuilt.Count));
        Assert.True(await RebuiltAsync(start, 5, (int.MinValue, Next)));
        Assert.Equal(int.MinValue, (await StartAsync(Later)).WholeFrom);

        // Again, and what was made up for is so no more; what is noted again and the others' go on.
        await NoteAsync(0, Plain);
        await NoteAsync(0, Plain, Later);
        Assert.Equal(Next, (await StartAsync(Later)).WholeFrom);
        await NoteAsync(0, Plain, Later);
        Assert.Equal(int.MinValue, (await StartAsync(Plain)).Hour);
    }

    [Fact]
    public async Task Of_very_many_ranges_the_earliest_are_forgotten()
    {
        await NoteAsync(0, Plain);
        await NoteAsync(0, Plain, Later);
        await RebuiltAsync(await StartAsync(Later), 5, [.. Enumerable.Range(0, RollupHistoryGrain.MostRanges + 5).Select(n => (n * 2, (n * 2) + 1))]);
        RollupStart start = await StartAsync(Later);
        Assert.Equal((RollupHistoryGrain.MostRanges, 10), (start.Rebuilt.Count, start.Rebuilt[0].From));
    }

    private Task NoteAsync(int partition, params string[] rollups) => _grain.NoteAsync(partition, "log", rollups);

    private Task<bool> RebuiltAsync(RollupStart start, long version, params (int From, int To)[] hours) =>
        _grain.NoteRebuiltAsync(Later, start.Switches, [.. hours.Select(range => new HourRange(range.From, range.To))], version);

    private async Task<RollupStart> StartAsync(string rollup) => (await _grain.GetStartsAsync())[rollup];

    private void Pass(int hours)
    {
        bool over = false;
        _world.After(hours * 3_600_000L, () => over = true);
        Assert.True(_world.RunUntil(() => over, 10));
    }
}
