using ClickAggregator.Servers;

namespace ClickAggregator.Shipper.Tests.Running;

/// <summary>A broker of the test's own that is not there at the start, and goes away later.</summary>
public class OutageTests
{
    [Fact]
    public async Task Without_a_broker_it_follows_files_until_the_click_log_is_full_says_so_and_catches_up_by_itself()
    {
        await using ServerScript? servers = ServerScript.New();
        Assert.SkipWhen(servers is null, "no servers script here: set CLICKS_SERVERS to its folder");
        await servers.StartKafkaAsync();
        await servers.SignalAsync("KILL", "kafka");
        using var files = new FollowedFiles(servers.Kafka);
        files.Write(1_000);
        await using ProgramProcess shipper = await files.StartAsync(
            "--ClickLog:Partitions=1", "--ClickLog:SegmentBytes=4 MiB", "--ClickLog:MaxBytes=8 MiB", "--ClickLog:Retention=1s");
        await shipper.UntilItSaysAsync("goes on from what is committed once the brokers answer");

        // More than the click log may hold.
        files.Write(150_000);
        await shipper.UntilItSaysAsync("click log full");
        await servers.StartKafkaAsync();
        await files.Reader.UntilAsync(files.Written);
        Assert.Contains("are shipped and past their retention; removed", shipper.Output, StringComparison.Ordinal);

        await servers.SignalAsync("KILL", "kafka");
        files.Write(2_000);
        files.Rotate();
        files.Write(500);
        await servers.StartKafkaAsync();
        await files.AssertAllShippedOnceAsync();
        Assert.False(shipper.HasExited);
    }
}
