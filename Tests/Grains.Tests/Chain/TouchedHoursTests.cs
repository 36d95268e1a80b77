using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Tests.Chain;

public class TouchedHoursTests
{
    [Fact]
    public void What_was_before_the_owner_is_not_known()
    {
        var touched = new TouchedHours(100);
        Assert.False(touched.NoneBeyond(99, 5, 6));
        Assert.True(touched.NoneBeyond(100, 5, 6));
    }

    [Fact]
    public void A_batch_that_ends_beyond_has_touched_its_hours_alone()
    {
        var touched = new TouchedHours(0);
        touched.Note([5, 7], 10);
        touched.Note([5], 20);
        Assert.False(touched.NoneBeyond(19, 5, 6));
        Assert.True(touched.NoneBeyond(20, 5, 6));
        Assert.True(touched.NoneBeyond(9, 6, 7));
        Assert.False(touched.NoneBeyond(9, 0, 24));
        Assert.True(touched.NoneBeyond(10, 6, 24));
    }

    [Fact]
    public void Of_more_hours_than_it_holds_it_is_certain_of_less()
    {
        var touched = new TouchedHours(0, most: 2);
        touched.Note([1, 2, 3], 10);
        Assert.False(touched.NoneBeyond(9, 4, 5));
        Assert.True(touched.NoneBeyond(10, 1, 4));
        touched.Note([1], 11);
        Assert.False(touched.NoneBeyond(10, 1, 2));
    }
}
