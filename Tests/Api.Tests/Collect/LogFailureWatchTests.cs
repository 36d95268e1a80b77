using ClickAggregator.Api.Collect;
using ClickAggregator.ClickLog;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Tests.Collect;

public class LogFailureWatchTests
{
    [Fact]
    public async Task A_failed_disk_is_never_acknowledged_and_stops_the_process()
    {
        var disk = new TaskCompletionSource<Exception>();
        await using ApiServer server = await ApiServer.StartAsync(services =>
        {
            services.AddSingleton<ClickAppender>(provider => new FailedLog(provider.GetRequiredService<PartitionedClickLog>()));
            services.AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<LogFailureWatch>(provider, disk.Task));
        });
        var stopping = new TaskCompletionSource();
        server.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        int before = Environment.ExitCode;

        Answer answer = await server.PostAsync("{\"ad_id\":\"1\"}");
        disk.SetResult(new IOException("EIO"));

        Assert.Equal((503, "store_unavailable"), (answer.Status, answer.Code));
        await stopping.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(LogFailureWatch.ExitCode, Environment.ExitCode);
        Environment.ExitCode = before;
    }

    private sealed class FailedLog(PartitionedClickLog log) : ClickAppender(log, NullLogger<ClickAppender>.Instance)
    {
        protected override ValueTask WriteAsync(ClickBatch batch) => throw new LogFailedException("the disk failed", new IOException("EIO"));
    }
}
