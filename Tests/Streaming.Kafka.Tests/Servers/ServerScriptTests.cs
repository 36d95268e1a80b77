using System.Diagnostics;
using System.Globalization;
using ClickAggregator.Servers;

namespace ClickAggregator.Streaming.Kafka.Tests.Servers;

public class ServerScriptTests
{
    [Fact]
    public async Task A_program_that_has_the_number_of_a_server_that_was_killed_is_left_alone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc");
        ServerScript? servers = ServerScript.New();
        Assert.SkipWhen(servers is null, "no servers here");
        using Process other = Process.Start("sleep", "600");
        try
        {
            Directory.CreateDirectory(Path.Combine(servers.Data, "kafka-1"));
            await File.WriteAllTextAsync(
                Path.Combine(servers.Data, "kafka-1", "pid"), other.Id.ToString(CultureInfo.InvariantCulture), TestContext.Current.CancellationToken);
            await servers.DisposeAsync();
            Assert.False(other.HasExited);
        }
        finally
        {
            other.Kill();
        }
    }
}
