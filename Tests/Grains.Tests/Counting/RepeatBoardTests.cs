using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;

namespace ClickAggregator.Grains.Tests.Counting;

/// <summary>What the counting tells the archive of repeats.</summary>
public class RepeatBoardTests
{
    private static readonly CountingRules s_rules = new(RollupSet.Default, TimeSpan.FromMinutes(10), 1000);
    private readonly RepeatBoard _board = new(mostRepeats: 4, mostBatches: 3);

    [Fact]
    public void It_keeps_nothing_of_a_chain_that_nobody_follows()
    {
        Note(0, 10, 3);

        Assert.Null(Find(0));
    }

    [Fact]
    public void It_says_of_batches_in_a_row_which_records_repeat_and_from_where_ids_would_have_to_be_read_back()
    {
        _board.Follow(1);
        _board.Note(1, s_rules, new CountedRepeats(0, 10, 0, [3, 7]));
        _board.Note(1, s_rules, new CountedRepeats(10, 20, 4, [12]));

        KnownRepeats known = Find(5)!;
        Assert.Equal(20, known.To);
        Assert.Equal([7, 12], Enumerable.Range(5, 15).Where(offset => known.IsRepeat(offset)));
        Assert.Equal((0, 4, 4), (known.DedupFrom(10), known.DedupFrom(11), known.DedupFrom(20)));
    }

    [Fact]
    public void A_batch_that_does_not_begin_where_the_last_one_ended_begins_anew()
    {
        _board.Follow(1);
        Note(0, 10, 3);
        Note(11, 20, 12);

        Assert.Null(Find(5));
        Assert.Equal(20, Find(11)!.To);
    }

    [Fact]
    public void Repeats_by_another_rule_are_not_told()
    {
        _board.Follow(1);
        Note(0, 10, 3);

        Assert.Null(_board.Find(1, s_rules.Horizon, s_rules.MaxIds + 1, 0));
        Assert.Null(_board.Find(1, s_rules.Horizon * 2, s_rules.MaxIds, 0));
        Assert.NotNull(Find(0));
    }

    [Fact]
    public void What_was_asked_past_and_what_is_too_much_is_forgotten()
    {
        _board.Follow(1);
        Note(0, 10, 1, 2);
        Note(10, 20, 11, 12);
        Note(20, 30, 21);

        Assert.Null(Find(0)); // five repeats were too many
        Assert.NotNull(Find(20));
        Assert.Null(Find(10));
        _board.Leave(1);
        Assert.Null(Find(20));
    }

    private void Note(long from, long to, params long[] repeats) => _board.Note(1, s_rules, new CountedRepeats(from, to, from, repeats));

    private KnownRepeats? Find(long from) => _board.Find(1, s_rules.Horizon, s_rules.MaxIds, from);
}
