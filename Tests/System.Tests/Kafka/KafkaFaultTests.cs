using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>Accepted is counted, once, whatever dies: the program, the broker, the topic.</summary>
public class KafkaFaultTests(KafkaServer kafka, ITestOutputHelper output)
{
    [Fact]
    public async Task Killed_at_random_moments_under_load_every_accepted_click_counts_once()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        var load = new Load(seed);
        for (int kill = 0; kill < 6; kill++)
        {
            await using ApiProcess api = await program.StartAsync();
            await load.DuringAsync(api.Http, async () =>
            {
                await Task.Delay(random.Next(200, 4000)); // the moment of the kill is what is random here
                api.Kill();
            });
        }

        await using ApiProcess last = await program.StartAsync();
        await Answers.CountedUntilNowAsync(last.Http);
        await load.AssertCountedAsync(last.Http, output);
    }

    [Fact]
    public async Task Stopped_for_longer_than_the_brokers_keep_its_transaction_it_goes_on_and_counts_once()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        var load = new Load(2);
        await using ApiProcess api = await program.StartAsync("--Shipper:TransactionTimeout=2s");
        await load.DuringAsync(api.Http, async () =>
        {
            await Task.Delay(1500);
            api.Signal(19);
            await Task.Delay(8000); // longer than the brokers keep a transaction open and look for such
            api.Signal(18);
            await Task.Delay(1500);
        });
        await Answers.CountedUntilNowAsync(api.Http);
        await load.AssertCountedAsync(api.Http, output);
    }

    [Fact]
    public async Task Asked_to_stop_under_load_it_ships_what_it_accepted()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        var load = new Load(3);
        await using (ApiProcess api = await program.StartAsync())
        {
            await Answers.CountedUntilNowAsync(api.Http);
            await load.DuringAsync(api.Http, async () =>
            {
                await Task.Delay(2000);
                api.Signal(15);
                await api.WaitForExitAsync();
            });
            Assert.Equal(0, api.ExitCode);
        }

        Assert.InRange(program.Read(program.Topic).Count, load.Accepted.Count, load.Accepted.Count + load.Unknown.Count);
    }

    [Fact]
    public async Task Acknowledged_after_Kafka_nothing_is_lost_with_the_data_directory()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        using KafkaProgram other = await KafkaProgram.NewAsync(kafka);
        var load = new Load(4);
        await using (ApiProcess api = await program.StartAsync("--Ingest:AcknowledgeAfter=kafka"))
        {
            await load.DuringAsync(api.Http, async () =>
            {
                await Task.Delay(4000);
                api.Kill();
            });
        }

        Assert.NotEmpty(load.Accepted);
        Directory.Delete(program.Data, recursive: true);
        Directory.CreateDirectory(program.Data);
        await using ApiProcess again = await program.StartAsync();
        await Answers.CountedUntilNowAsync(again.Http);
        await load.AssertCountedAsync(again.Http, output);
    }

    [Fact]
    public async Task Of_two_programs_with_one_click_log_the_older_stops_shipping_and_says_so()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using ApiProcess older = await program.StartAsync();
        await MadeClicks.PostAsync(older.Http, "first", 100);
        await Answers.CountedUntilNowAsync(older.Http);
        using var copy = new DataFolder();
        Copy(program.Data, copy.Path);
        await using ApiProcess newer = await ApiProcess.StartAsync(copy.Path, program.Settings);
        await Eventually.Async(
            "the newer one ships", async () => await KafkaProgram.ShippingAsync(newer.Http) == "shipping", TimeSpan.FromSeconds(30));
        await MadeClicks.PostAsync(older.Http, "second", 10);
        await Eventually.Async(
            "the older one says that it was replaced",
            async () => (await KafkaProgram.ShippingAsync(older.Http)).Contains("another shipper", StringComparison.Ordinal),
            TimeSpan.FromMinutes(1));
        Assert.Equal(100, program.Read(program.Topic).Count);
    }

    [Fact]
    public async Task Clicks_behind_a_transaction_that_somebody_left_open_are_not_said_to_be_counted()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using ApiProcess api = await program.StartAsync();
        await Answers.CountedUntilNowAsync(api.Http);
        using (program.OpenTransaction(partitions: 4))
        {
            await MadeClicks.PostAsync(api.Http, "behind", 100);
            DateTimeOffset accepted = TimeProvider.System.GetUtcNow();
            await Eventually.Async(
                "the clicks are in Kafka",
                async () => (await api.Http.GetStringAsync("/v1/status")).Contains("\"position\":100", StringComparison.Ordinal),
                TimeSpan.FromSeconds(30));
            await Task.Delay(3000); // longer than a commit takes to be seen
            using var answer = System.Text.Json.JsonDocument.Parse(await api.Http.GetStringAsync("/v1/clicks/total?last=20m"));
            Assert.Equal(0, answer.RootElement.GetProperty("clicks").GetInt64());
            Assert.True(answer.RootElement.GetProperty("counted_until").GetDateTimeOffset() <= accepted, answer.RootElement.ToString());
        }

        await Answers.CountedUntilNowAsync(api.Http);
        Assert.Equal(100, await Answers.ClicksAsync(api.Http, "/v1/clicks/total?last=20m"));
    }

    [Fact]
    public async Task A_store_that_began_with_Kafka_never_counts_its_click_log_as_well()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using (ApiProcess api = await program.StartAsync())
        {
            await MadeClicks.PostAsync(api.Http, "once", 100);
            await Answers.CountedUntilNowAsync(api.Http);
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        string id = (await File.ReadAllTextAsync(Path.Combine(program.Data, "log-id"))).Trim();
        (int code, string said) = await ApiProcess.RunAsync("adopt-log", "--data", program.Data, "--log", id);
        Assert.Contains("log_closed", said, StringComparison.Ordinal);
        Assert.Equal(1, code);
        await using ApiProcess back = await program.StartAsync();
        await Answers.CountedUntilNowAsync(back.Http);
        Assert.Equal(100, await Answers.ClicksAsync(back.Http, "/v1/clicks/total?last=20m"));
    }

    [Fact]
    public async Task With_another_topic_what_went_to_the_first_is_not_shipped_again()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        string log;
        await using (ApiProcess api = await program.StartAsync())
        {
            await MadeClicks.PostAsync(api.Http, "first", 100);
            await Answers.CountedUntilNowAsync(api.Http);
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        string[] other = [.. program.Settings.Where(setting => !setting.StartsWith("--Kafka:Topic=", StringComparison.Ordinal)), $"--Kafka:Topic={program.Topic}-2"];
        await using (ApiProcess api = await ApiProcess.StartAsync(program.Data, other))
        {
            await MadeClicks.PostAsync(api.Http, "second", 50);
            string status = "";
            await Eventually.Async(
                "every partition says that its log was replaced",
                async () => (status = await api.Http.GetStringAsync("/v1/status")).Split("log_replaced: partition").Length > 4,
                TimeSpan.FromMinutes(1));
            int at = status.IndexOf("the log is now ", StringComparison.Ordinal) + "the log is now ".Length;
            log = status[at..status.IndexOf('.', at)];
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        (int code, string said) = await ApiProcess.RunAsync(["adopt-log", "--data", program.Data, "--log", log, .. other]);
        Assert.True(code == 0, said);
        (code, said) = await ApiProcess.RunAsync(["adopt-log", "--data", program.Data, "--log", log, .. other]); // as after one that was broken off
        Assert.True(code == 0, said);
        await using ApiProcess again = await ApiProcess.StartAsync(program.Data, other);
        await Answers.CountedUntilNowAsync(again.Http);
        Assert.Equal(150, await Answers.ClicksAsync(again.Http, "/v1/clicks/total?last=20m"));
        Assert.Equal(50, program.Read(program.Topic + "-2").Count);
    }

    [Fact]
    public async Task To_a_topic_that_does_not_fit_nothing_is_shipped_clicks_are_taken_and_the_status_says_why_until_it_does()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await program.MakeUnfitTopicAsync();
        await using ApiProcess api = await program.StartAsync();
        await MadeClicks.PostAsync(api.Http, "waiting", 100);
        string unfit = $"topic '{program.Topic}' has message.timestamp.type=CreateTime";
        await Eventually.Async(
            "the shipping says why it waits",
            async () => (await KafkaProgram.ShippingAsync(api.Http)).StartsWith($"connecting: {unfit}", StringComparison.Ordinal),
            TimeSpan.FromMinutes(1));
        string detail = "";
        await Eventually.Async(
            "the status says why there are no partitions",
            async () =>
            {
                using var status = System.Text.Json.JsonDocument.Parse(await api.Http.GetStringAsync("/v1/status"));
                detail = status.RootElement.GetProperty("detail").GetString() ?? "";
                return detail.Length > 0;
            },
            TimeSpan.FromMinutes(1));
        Assert.Contains(unfit, detail, StringComparison.Ordinal);
        Assert.Empty(program.Read(program.Topic));

        await program.MakeTopicFitAsync();
        await Answers.CountedUntilNowAsync(api.Http);
        Assert.Equal(100, await Answers.ClicksAsync(api.Http, "/v1/clicks/total?last=20m"));
    }

    [Fact]
    public async Task A_topic_deleted_and_made_again_stops_the_counting_until_it_is_adopted()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        string replaced;
        await using (ApiProcess api = await program.StartAsync())
        {
            await MadeClicks.PostAsync(api.Http, "first", 100);
            await Answers.CountedUntilNowAsync(api.Http);
            await program.DeleteTopicAsync();
            await Eventually.Async(
                "every partition says that its log was replaced",
                async () =>
                {
                    // Whoever sends now makes the shipper bring the topic back.
                    await MadeClicks.PostAsync(api.Http, $"later-{Guid.NewGuid():N}", 1);
                    string status = await api.Http.GetStringAsync("/v1/status");
                    return status.Split("log_replaced: partition").Length > 4;
                },
                TimeSpan.FromMinutes(2));
            Assert.Equal(100, await Answers.ClicksAsync(api.Http, "/v1/clicks/total?last=20m"));
            string message = await api.Http.GetStringAsync("/v1/status");
            int at = message.IndexOf("the log is now ", StringComparison.Ordinal) + "the log is now ".Length;
            replaced = message[at..message.IndexOf('.', at)];
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        string[] adopt = ["adopt-log", "--data", program.Data, "--log", replaced, .. program.Settings];
        await Eventually.Async(
            "the new topic is adopted",
            async () =>
            {
                (int code, string said) = await ApiProcess.RunAsync(adopt);
                if (code != 0 && said.Contains("half counted", StringComparison.Ordinal))
                {
                    // The topic went away in the middle of a batch: that takes a second word.
                    (code, said) = await ApiProcess.RunAsync([.. adopt, "--half-counted", "give-up"]);
                }

                output.WriteLine(said);
                return code == 0;
            },
            TimeSpan.FromMinutes(2));
        await using ApiProcess again = await program.StartAsync();
        await MadeClicks.PostAsync(again.Http, "last", 50);
        await Answers.CountedUntilNowAsync(again.Http);
        Assert.InRange(await Answers.ClicksAsync(again.Http, "/v1/clicks/total?last=20m"), 151, long.MaxValue);
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) is not ("lock" or "lock.pid")))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
