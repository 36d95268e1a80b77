namespace ClickAggregator.Clicks.Tests;

public class SkeletonTests
{
    [Fact]
    public void The_test_project_runs() => Assert.True(true);
}
