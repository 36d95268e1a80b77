using ClickAggregator.ClickLog;
using ClickAggregator.Servers;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Shipper.Tests.Running;

/// <summary>The program as a process: from files to a topic, and how it ends.</summary>
public class ProgramTests(KafkaServer kafka, ITestOutputHelper output)
{
    private const int Term = 15;
    private const int Stop = 19;
    private const int Continue = 18;

    [Fact]
    public async Task Killed_at_random_moments_while_files_are_written_and_rotated_it_neither_skips_nor_repeats_a_click()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using FollowedFiles files = await FollowedFiles.NewAsync(kafka);
        using var stop = new CancellationTokenSource();
        Task writing = Task.Run(() =>
        {
            var pace = new Random(seed);
            while (!stop.IsCancellationRequested)
            {
                files.Write(pace.Next(1, 400));
                if (pace.Next(12) == 0)
                {
                    files.Rotate();
                }

                stop.Token.WaitHandle.WaitOne(pace.Next(40));
            }
        });
        for (int kill = 0; kill < 5; kill++)
        {
            await using ProgramProcess shipper = await files.StartAsync();
            await Task.Delay(random.Next(0, 1500)); // the moment of the kill is what is random here
            shipper.Kill();
        }

        await stop.CancelAsync();
        await writing;
        await using (ProgramProcess last = await files.StartAsync())
        {
            await files.Reader.UntilAsync(files.Written);
            last.Signal(Term);
            Assert.Equal(0, await last.WaitForExitAsync());
        }

        await files.AssertAllShippedOnceAsync();
        output.WriteLine($"{files.Written} clicks");
    }

    [Fact]
    public async Task Told_to_stop_it_ships_what_is_left_and_ends_with_0()
    {
        using FollowedFiles files = await FollowedFiles.NewAsync(kafka);
        files.CommitInterval = "10s";
        await using ProgramProcess shipper = await files.StartAsync();
        await shipper.UntilItSaysAsync("shipping the click log");
        files.Write(20_000);
        await Eventually.Async(
            "clicks are in the click log",
            () => Task.FromResult(new DirectoryInfo(Path.Combine(files.Data, "log")).EnumerateFiles("*.log", SearchOption.AllDirectories).Sum(file => file.Length) > 100_000),
            TimeSpan.FromSeconds(20));
        shipper.Signal(Term);
        Assert.Equal(0, await shipper.WaitForExitAsync());
        Assert.Contains("everything that was read is shipped", shipper.Output, StringComparison.Ordinal);

        int taken = await TakenAsync(files.Data);
        await files.Reader.UntilAsync(taken);
        Assert.Equal(taken, files.Reader.Records.Count);
        await using ProgramProcess again = await files.StartAsync();
        await files.AssertAllShippedOnceAsync();
    }

    [Fact]
    public async Task Stopped_for_longer_than_the_brokers_keep_its_transaction_it_goes_on_and_repeats_nothing()
    {
        using FollowedFiles files = await FollowedFiles.NewAsync(kafka);
        files.CommitInterval = "1500ms";
        await using ProgramProcess shipper = await files.StartAsync("--Shipper:TransactionTimeout=2s");
        files.Write(500);
        await files.Reader.UntilAsync(500);
        files.Write(5_000);
        await Eventually.Async("the clicks are in the click log", async () => await TakenAsync(files.Data) == files.Written, TimeSpan.FromSeconds(20));
        await Task.Delay(100); // into the transaction that gathers them
        shipper.Signal(Stop);
        files.Write(500);
        await Task.Delay(12_500); // the brokers look for such transactions every ten seconds
        shipper.Signal(Continue);
        files.Write(500);
        await files.AssertAllShippedOnceAsync();
        Assert.False(shipper.HasExited);
        Assert.Contains("goes on from what is committed", shipper.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_with_one_click_log_the_older_ends_with_a_code_of_its_own()
    {
        using FollowedFiles files = await FollowedFiles.NewAsync(kafka);
        await using ProgramProcess older = await files.StartAsync();
        files.Write(1000);
        await files.Reader.UntilAsync(1000);
        using var copy = new DataFolder();
        Copies.Of(files.Data, copy.Path);
        await using ProgramProcess newer = await ShipperProcess.StartAsync(files.Settings(copy.Path));
        await newer.UntilItSaysAsync("shipping the click log");
        files.Write(1000);
        Assert.Equal(3, await older.WaitForExitAsync());
        Assert.Contains("another shipper", older.Output, StringComparison.Ordinal);
        Assert.Contains("the data directory was copied", older.Output, StringComparison.Ordinal);
        files.Write(1000);
        await files.AssertAllShippedOnceAsync();
        Assert.False(newer.HasExited);
    }

    [Fact]
    public async Task A_second_process_on_a_data_directory_does_not_start()
    {
        using FollowedFiles files = await FollowedFiles.NewAsync(kafka);
        await using ProgramProcess first = await files.StartAsync();
        (int code, string said) = await ShipperProcess.RunAsync(files.Settings());
        Assert.Equal(2, code);
        Assert.Contains("DataDirectory: ", said, StringComparison.Ordinal);
        Assert.Contains($"process {first.Id}", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Started_with_a_topic_that_would_not_be_counted_it_says_the_command_and_ends_with_a_code_of_its_own()
    {
        using FollowedFiles files = await FollowedFiles.NewAsync(kafka);
        using (IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = await kafka.BootstrapServersAsync() }).Build())
        {
            await admin.CreateTopicsAsync([new() { Name = files.Topic, NumPartitions = FollowedFiles.Partitions, ReplicationFactor = 1 }]);
        }

        files.Write(10);
        (int code, string said) = await ShipperProcess.RunAsync(files.Settings());
        Assert.Equal(3, code);
        Assert.Contains($"--entity-name {files.Topic} --add-config message.timestamp.type=LogAppendTime", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_that_are_no_clicks_go_to_the_dead_letters_and_the_others_are_shipped()
    {
        using FollowedFiles files = await FollowedFiles.NewAsync(kafka);
        files.Write(10);
        files.WriteLine("{\"ad_id\":");
        files.WriteLine("{\"country\":\"US\"}");
        files.WriteLine("{\"ad_id\":\"" + new string('x', 3000) + "\"}");
        files.Write(10);
        await using ProgramProcess shipper = await files.StartAsync("--Limits:LineBytes=2 KiB");
        await files.AssertAllShippedOnceAsync();
        string[] letters = File.ReadAllLines(Assert.Single(Directory.GetFiles(Path.Combine(files.Data, "dead-letters"))));
        Assert.Equal(3, letters.Length);
        Assert.Contains("\"reason\":\"malformed_json\"", letters[0], StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"target_missing\"", letters[1], StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"line_too_long\"", letters[2], StringComparison.Ordinal);
    }

    /// <summary>How many clicks the click log of a data directory holds.</summary>
    private static async Task<int> TakenAsync(string data)
    {
        await using PartitionedClickLog log = await PartitionedClickLog.OpenToReadAsync(
            new ClickLogOptions { Directory = data }, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        return (int)Enumerable.Range(0, log.Partitions).Sum(partition => log.GetRange(partition).End);
    }
}
