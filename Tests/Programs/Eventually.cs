namespace ClickAggregator.Programs;

/// <summary>Waits for something to become true, with a deadline and a name for what did not.</summary>
internal static class Eventually
{
    /// <summary>Deadlines are thought of for a machine of one's own; tests share theirs with others, and with many programs.</summary>
    private const int Share = 3;

    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_later = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits.</summary>
    /// <param name="what">What is waited for.</param>
    /// <param name="condition">Whether it is so.</param>
    /// <param name="deadline">How long it takes at most on a machine of one's own.</param>
    /// <param name="atOnce">Whether the test has to know at once, since it strikes in the middle of what has begun.</param>
    public static async Task Async(string what, Func<Task<bool>> condition, TimeSpan deadline, bool atOnce = false)
    {
        DateTimeOffset begin = TimeProvider.System.GetUtcNow();
        DateTimeOffset end = begin + (deadline * Share);
        Exception? last = null;
        while (TimeProvider.System.GetUtcNow() < end)
        {
            try
            {
                if (await condition())
                {
                    return;
                }

                last = null;
            }
            catch (HttpRequestException error)
            {
                last = error;
            }

            // A question to a cluster costs it milliseconds of the processor: what takes long is asked for less often.
            long waited = (TimeProvider.System.GetUtcNow() - begin).Ticks;
            await Task.Delay(atOnce ? s_soon : TimeSpan.FromTicks(Math.Clamp(waited / 20, s_soon.Ticks, s_later.Ticks)));
        }

        throw new TimeoutException($"not within {deadline.TotalSeconds * Share:F0} s: {what}", last);
    }
}
