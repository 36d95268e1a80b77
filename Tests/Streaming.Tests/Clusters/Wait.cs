using System.Diagnostics;

namespace ClickAggregator.Streaming.Tests.Clusters;

/// <summary>Polls for a condition, with a deadline that only a broken test reaches.</summary>
internal static class Wait
{
    public static async Task ForAsync(Func<bool> holds, Func<string> otherwise)
    {
        long started = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(30))
            {
                Assert.Fail(otherwise());
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
