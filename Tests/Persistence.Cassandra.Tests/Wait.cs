using System.Diagnostics;

namespace ClickAggregator.Persistence.Cassandra.Tests;

/// <summary>Polls for a condition, with a deadline that only a broken test reaches.</summary>
internal static class Wait
{
    public static async Task ForAsync(string what, Func<bool> holds, int seconds = 30)
    {
        long started = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(seconds))
            {
                Assert.Fail($"In vain: {what}");
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
