using System.Globalization;
using System.Net.Http.Headers;
using ClickAggregator.Api.Collect;
using ClickAggregator.ClickLog;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Tests.Collect;

public class OverloadTests
{
    private const string Click = "{\"ad_id\":\"1\"}";

    [Fact]
    public async Task Beyond_the_requests_in_flight_the_answer_is_503_and_later_ones_are_taken_again()
    {
        HeldLog? held = null;
        await using ApiServer server = await ApiServer.StartAsync(
            services => services.AddSingleton<ClickAppender>(provider => held = new HeldLog(provider.GetRequiredService<PartitionedClickLog>())),
            "--Limits:RequestsInFlight=2");
        Task<Answer>[] waiting = [server.PostAsync(Click), server.PostAsync(Click)];
        await held!.WaitForAsync(2);

        Answer refused = await server.PostAsync(Click);
        held.Release();

        Assert.Equal((503, "overloaded"), (refused.Status, refused.Code));
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Message.Headers.RetryAfter!.Delta);
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(202, answer.Status));
        Assert.Equal(202, (await server.PostAsync(Click)).Status);
        Assert.Equal(3, server.Stored().Count);
    }

    [Fact]
    public async Task Beyond_the_bytes_in_flight_the_answer_is_503()
    {
        HeldLog? held = null;
        await using ApiServer server = await ApiServer.StartAsync(
            services => services.AddSingleton<ClickAppender>(provider => held = new HeldLog(provider.GetRequiredService<PartitionedClickLog>())),
            "--Limits:BodyBytes=1 MiB", "--Limits:BytesInFlight=2 MiB");
        string big = Click + new string(' ', 900_000 - Click.Length);
        // buffers of 1 MiB and 0.5 MiB are held: a third of 1 MiB has no room
        Task<Answer>[] waiting = [server.PostAsync(big), server.PostAsync(big[..500_000])];
        await held!.WaitForAsync(2);

        Answer refused = await server.PostAsync(big);
        held.Release();

        Assert.Equal((503, "overloaded"), (refused.Status, refused.Code));
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(202, answer.Status));
        AdmissionGate gate = server.Services.GetRequiredService<AdmissionGate>();
        Assert.Equal(202, (await server.PostAsync(big)).Status);
        Assert.True(SpinWait.SpinUntil(() => gate is { Bytes: 0, Requests: 0 }, TimeSpan.FromSeconds(10)), "something is still held");
    }

    [Fact]
    public async Task A_full_log_is_503_and_what_was_acknowledged_is_there()
    {
        await using ApiServer server = await ApiServer.StartAsync("--ClickLog:Partitions=1", "--ClickLog:MaxBytes=2 MiB", "--ClickLog:SegmentBytes=1 MiB");
        string body = string.Concat(Enumerable.Range(0, 1_000).Select(i => string.Create(CultureInfo.InvariantCulture,
            $"{{\"ad_id\":\"a{i}\",\"user_id\":\"{new string('u', 100)}\"}}\n")));
        int acknowledged = 0;
        Answer answer = await server.PostAsync(body, "application/x-ndjson");
        for (int i = 0; i < 50 && answer.Status == 202; i++)
        {
            acknowledged += answer.Accepted;
            answer = await server.PostAsync(body, "application/x-ndjson");
        }

        Assert.Equal((503, "log_full"), (answer.Status, answer.Code));
        Assert.IsType<RetryConditionHeaderValue>(answer.Message.Headers.RetryAfter);
        Assert.True(acknowledged > 0);
        Assert.Equal(acknowledged, server.Stored().Count);
    }

    /// <summary>The real log behind a gate that a test opens.</summary>
    private sealed class HeldLog(PartitionedClickLog log) : ClickAppender(log, NullLogger<ClickAppender>.Instance)
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _two = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _one = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _arrived;

        public Task WaitForAsync(int requests) =>
            (requests == 1 ? _one : _two).Task.WaitAsync(TimeSpan.FromSeconds(20));

        public void Release() => _open.SetResult();

        protected override async ValueTask WriteAsync(ClickBatch batch)
        {
            int arrived = Interlocked.Increment(ref _arrived);
            (arrived == 1 ? _one : _two).TrySetResult();
            await _open.Task;
            await base.WriteAsync(batch);
        }
    }
}
