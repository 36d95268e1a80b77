namespace ClickAggregator.Shipper.Tests;

public class ShipHistoryTests
{
    /// <summary>What is committed is seen by readers a moment later: a second is waited for that.</summary>
    private const long Margin = 1_000;

    [Fact]
    public void It_answers_with_the_last_note_before_a_moment_and_with_nothing_before_the_first()
    {
        var history = new ShipHistory();
        history.Note(1_000, 900);
        history.Note(2_000, 1_500);
        history.Note(3_000, 3_000);
        Assert.Equal([0L, 900, 900, 1_500, 3_000, 3_000],
            new long[] { 999, 1_000, 1_999, 2_000, 3_000, 9_000 }.Select(moment => history.AcceptedUntil(moment + Margin)));
    }

    [Fact]
    public void It_never_claims_more_than_was_noted_however_much_it_has_thinned_out()
    {
        var history = new ShipHistory();
        var random = new Random(7);
        var notes = new List<(long At, long Until)>();
        long at = 0;
        for (int n = 0; n < 50_000; n++)
        {
            at += random.Next(1, 700);
            notes.Add((at, at - random.Next(0, 5_000)));
            notes[^1] = (at, Math.Max(notes[^1].Until, n == 0 ? 0 : notes[^2].Until));
            history.Note(at, notes[^1].Until);
        }

        Assert.Equal(notes[^1].Until, history.AcceptedUntil(at + 1 + Margin));
        for (int n = 0; n < 1_000; n++)
        {
            long moment = random.NextInt64(at);
            long truth = notes.LastOrDefault(note => note.At <= moment).Until;
            Assert.InRange(history.AcceptedUntil(moment), 0, Math.Max(0, truth));
        }
    }

    [Fact]
    public void A_clock_that_was_set_back_makes_it_forget()
    {
        var history = new ShipHistory();
        history.Note(5_000, 5_000);
        history.Note(1_000, 1_000);
        Assert.Equal(0, history.AcceptedUntil(999 + Margin));
        Assert.Equal(1_000, history.AcceptedUntil(6_000));
    }
}
