using ClickAggregator.Api.Verify;

namespace ClickAggregator.Api.Tests.Verify;

public class MarkedRepeatsTests
{
    private readonly MarkedRepeats _repeats = new(TimeSpan.FromMinutes(1), maxIds: 10);

    [Fact]
    public void A_repeat_without_a_mark_is_named_with_the_click_before_it()
    {
        Note("a", 1);
        Note("b", 2);
        Note("a", 5);
        Note("a", 9, isMarked: true);
        Assert.Equal([(1, 5)], _repeats.FindUnmarked());
        Assert.Equal(0, _repeats.Elsewhere);
    }

    [Fact]
    public void The_order_of_rows_does_not_matter_and_the_mark_of_the_later_one_is_what_is_asked_for()
    {
        Note("a", 9, isMarked: true);
        Note("a", 1);
        Assert.Empty(_repeats.FindUnmarked());
        Assert.Equal(0, _repeats.Elsewhere);
    }

    [Fact]
    public void A_mark_on_the_first_of_an_id_is_counted_as_of_a_click_elsewhere()
    {
        Note("a", 1, isMarked: true);
        Note("a", 2, isMarked: true);
        Note("b", 3, isMarked: true);
        Assert.Empty(_repeats.FindUnmarked());
        Assert.Equal(2, _repeats.Elsewhere);
    }

    [Fact]
    public void Clicks_further_apart_than_the_stream_remembers_need_no_mark()
    {
        Note("a", 1);
        Note("a", 12);
        Note("b", 20);
        Note("b", 21, logTime: 60_001);
        Assert.Empty(_repeats.FindUnmarked());
    }

    [Fact]
    public void Clicks_without_an_id_and_clicks_of_another_target_repeat_nothing()
    {
        Note("", 1);
        Note("", 2);
        Note("a", 3);
        Note("a", 4, target: "other");
        Assert.Empty(_repeats.FindUnmarked());
    }

    [Fact]
    public void Of_more_clicks_than_fit_a_share_of_the_ids_is_looked_at_with_all_their_clicks()
    {
        var few = new MarkedRepeats(TimeSpan.FromMinutes(1), maxIds: 100_000, capacity: 100);
        for (int n = 0; n < 10_000; n++)
        {
            few.Note(new RecountedClick("ad", "t", $"{n % 500}", "", "", "", 0), n, 0, isMarked: n >= 500);
        }

        Assert.Empty(few.FindUnmarked());
        Assert.Equal(0, few.Elsewhere);
        Assert.InRange(few.OneOf, 100u, 512u);
    }

    private void Note(string id, long offset, long logTime = 0, bool isMarked = false, string target = "t") =>
        _repeats.Note(new RecountedClick("ad", target, id, "", "", "", 0), offset, logTime, isMarked);
}
