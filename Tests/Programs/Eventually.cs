namespace ClickAggregator.Programs;

/// <summary>Waits for something to become true, with a deadline and a name for what did not.</summary>
internal static class Eventually
{
    /// <summary>Deadlines are thought of for a machine of one's own; tests share theirs with others, and with many programs.</summary>
    private const int Share = 3;

    public static async Task Async(string what, Func<Task<bool>> condition, TimeSpan deadline)
    {
        DateTimeOffset end = TimeProvider.System.GetUtcNow() + (deadline * Share);
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

            await Task.Delay(20);
        }

        throw new TimeoutException($"not within {deadline.TotalSeconds * Share:F0} s: {what}", last);
    }
}
