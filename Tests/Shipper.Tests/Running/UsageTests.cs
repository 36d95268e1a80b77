namespace ClickAggregator.Shipper.Tests.Running;

/// <summary>How the program is called, and what it says where it was called wrongly.</summary>
public class UsageTests
{
    [Fact]
    public async Task Called_with_nothing_it_says_what_it_needs_all_at_once()
    {
        (int code, string said) = await ShipperProcess.RunAsync("--ClickLog:Partitions=0", "--Wach:Files=x", "here.ndjson");
        Assert.Equal(2, code);
        Assert.Contains("Watch:Files must name the log files to follow", said, StringComparison.Ordinal);
        Assert.Contains("Kafka:BootstrapServers must name the brokers to ship to", said, StringComparison.Ordinal);
        Assert.Contains("ClickLog:Partitions must be a whole number from 1 to 256", said, StringComparison.Ordinal);
        Assert.Contains("--Wach:Files is not a setting (did you mean --Watch:Files?)", said, StringComparison.Ordinal);
        Assert.Contains("\"here.ndjson\" is not a switch", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_help_has_every_setting_and_no_other_programs()
    {
        (int code, string said) = await ShipperProcess.RunAsync("--help");
        Assert.Equal(0, code);
        foreach (string name in new[] { "DataDirectory (--data)", "Watch:Files (--watch)", "Kafka:BootstrapServers", "Kafka:Client:*", "Shipper:CommitInterval", "Limits:LineBytes", "Shutdown:Timeout" })
        {
            Assert.Contains(name, said, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("Duplicates", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_written_is_said_in_words()
    {
        using var folder = new DataFolder();
        File.WriteAllText(folder.File("file"), "");
        (int code, string said) = await ShipperProcess.RunAsync(
            "--watch", folder.File("*.ndjson"), "--Kafka:BootstrapServers=127.0.0.1:1", "--data", folder.File("file"));
        Assert.Equal(2, code);
        Assert.Contains("DataDirectory: ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
    }
}
