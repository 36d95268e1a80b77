namespace ClickAggregator.Streaming.Kafka.Tests;

public class ClientUseTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_is_closed_once_and_only_when_no_call_is_within_it()
    {
        var use = new ClientUse();
        using var within = new SemaphoreSlim(0);
        using var leave = new ManualResetEventSlim();
        Task<int> call = Task.Run(
            () => use.Call(() =>
            {
                within.Release();
                leave.Wait(Cancellation);
                return 7;
            }),
            Cancellation);
        await within.WaitAsync(Cancellation);
        Task<bool> close = Task.Run(use.Close, Cancellation);
        while (true)
        {
            // New calls are refused as soon as somebody closes, and he waits for the one that is within.
            try
            {
                use.Call(() => 1);
                await Task.Yield();
            }
            catch (ObjectDisposedException)
            {
                break;
            }
        }

        Assert.False(close.IsCompleted);
        leave.Set();
        Assert.Equal(7, await call);
        Assert.True(await close);
        Assert.False(use.Close());
    }
}
