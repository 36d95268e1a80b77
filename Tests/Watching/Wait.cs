using System.Diagnostics;

namespace ClickAggregator.Watching;

/// <summary>Polls for a condition, with a deadline that only a broken test reaches.</summary>
internal static class Wait
{
    /// <summary>Deadlines are thought of for a machine of one's own.</summary>
    private const int Share = 3;

    public static Task ForAsync(string what, Func<bool> holds, int seconds = 30) => ForAsync(holds, () => $"In vain: {what}", seconds);

    public static async Task ForAsync(Func<bool> holds, Func<string> otherwise, int seconds = 30)
    {
        long started = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(seconds * Share))
            {
                Assert.Fail(otherwise());
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
