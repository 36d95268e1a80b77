using ClickAggregator.Api.Verify;

namespace ClickAggregator.Api.Tests.Verify;

public class VerifyResultTests
{
    [Fact]
    public void Where_all_is_right_it_says_what_was_compared() =>
        Assert.Equal("129,900 counted, 129,900 recounted, 0 windows differ", new VerifyResult(129_900, 129_900, 0, 3, []).ToString());

    [Theory]
    [InlineData(129_900, 41, 0, "41 windows differ: 129,900 clicks are counted in all, and 129,900 recounted")]
    [InlineData(129_800, 1_041, 2, "1,041 windows differ and 2 repeats are not marked: 129,800 clicks are counted in all, and 129,900 recounted")]
    [InlineData(129_900, 0, 7, "7 repeats are not marked: 129,900 clicks are counted in all, and 129,900 recounted")]
    [InlineData(129_800, 0, 0, "the totals differ: 129,800 clicks are counted in all, and 129,900 recounted")]
    public void What_differs_is_the_first_that_is_said(long counted, long windows, long repeats, string said)
    {
        var result = new VerifyResult(counted, 129_900, windows, 3, []) { RepeatsDiffer = repeats };
        Assert.False(result.Agrees);
        Assert.Equal(said, result.ToString());
    }
}
