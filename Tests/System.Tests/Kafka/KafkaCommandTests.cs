using System.Text;
using System.Text.Json;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>The commands on a real broker.</summary>
public class KafkaCommandTests(KafkaServer kafka)
{
    [Fact]
    public async Task Verify_recounts_the_topic_other_producers_and_the_closed_click_log_included()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using (ApiProcess embedded = await ApiProcess.StartAsync(program.Data))
        {
            await RealClicksTests.SendAsync(embedded.Http, [.. RealClicks.Lines.Take(5_000)]);
            await Answers.CountedToTheEndAsync(embedded.Http);
            embedded.Kill();
        }

        string id = new('x', 128);
        string[] odd =
        [
            "{\"ad_id\":\"o-1\"}", "{\"ad_id\":\"o-1\"}", // no id: two clicks
            "{\"ad_id\":\"o-2\",\"click_id\":\"c\"}", "{\"ad_id\":\"o-2\",\"click_id\":\"c\"}", // one click
            $" {{ \"ad\\u005fid\" : \"{id}\", \"click_id\":\"\", \"country\":\"de\", \"device\":null }} ",
            "{\"ad_id\":\"o-3\",\"timestamp\":\"2013-01-05T10:00:60+01:30\",\"campaign_id\":\"k\",\"x\":[{}]}",
            "{\"ad_id\":\"o-3\",\"timestamp\":1357380000000,\"referrer\":\"https://user@News.example:8080/a?b\"}",
            "{\"page_url\":\"HTTPS://User@Shop.Example.:443/A%20b?q#f\"}", "{\"page_url\":\"http:\\/\\/shop.example:00080\"}",
            "{\"ad_id\":\"o-4\",\"referrer\":\"[::1]\"}", "{\"ad_id\":\"o-4\",\"timestamp\":\"\"}",
        ];
        string[] none =
        [
            "{\"ad_id\":\"..\"}", "{\"ad_id\":\"a\",\"ad\\u005fid\":null}", "[]", "{\"ad_id\":\"a\",\"timestamp\":1384729205}", "{\"ad_id\":\"a\"} x",
            "{\"ad_id\":\"a\",\"country\":\"USA\"}", "{\"ad_id\":\"a\",\"timestamp\":\"2013-02-30T10:00:00Z\"}", "{\"ad_id\":\"a\",\"video_id\":\"v\"}",
            "{\"ad_id\":\"a\",\"referrer\":\"a..b\"}", "{\"page_url\":\"http://a:0/\"}", "{\"page_url\":\"ftp://a/\"}", "{\"ad_id\":\"a\",\"user_id\":\"\\ud800\"}",
            "{\"ad_id\":\"a\",\"timestamp\":\"9999-01-01T00:00:00Z\"}",
        ];
        await using (ApiProcess api = await program.StartAsync())
        {
            await RealClicksTests.SendAsync(api.Http, [.. RealClicks.Lines.Skip(4_000).Take(8_000)]);
            await program.ProduceAsync(odd.Concat(none).Select((value, n) => ($"k{n % 3}", (byte[]?)Encoding.UTF8.GetBytes(value))));
            await program.ProduceAsync(RealClicks.Lines.Skip(20_000).Take(3_000));
            await Answers.CountedUntilNowAsync(api.Http);
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        (int code, string said) = await ApiProcess.RunAsync(["verify", "--data", program.Data, .. program.Settings]);
        Assert.Contains(" 0 windows differ", said, StringComparison.Ordinal);
        Assert.Contains($"{none.Length} records hold no click", said, StringComparison.Ordinal);
        Assert.DoesNotContain("left out (chains", said, StringComparison.Ordinal);
        Assert.True(code == 0, said);

        // What is missing is named.
        Assert.NotEqual(0, new StoreFile(program.Folder).Run("DELETE FROM clicks_by_hour WHERE series = 'ad:o-1'"));
        (code, said) = await ApiProcess.RunAsync(["verify", "--data", program.Data, .. program.Settings]);
        Assert.Contains("ad:o-1 hour", said, StringComparison.Ordinal);
        Assert.Equal(1, code);
    }

    [Fact]
    public async Task Verify_leaves_out_what_the_topic_has_removed_and_says_so()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        int partition;
        await using (ApiProcess api = await program.StartAsync("--Kafka:Partitions=4"))
        {
            await MadeClicks.PostAsync(api.Http, "old", 400);
            await MadeClicks.PostAsync(api.Http, "older", 100, TimeProvider.System.GetUtcNow().AddHours(-5));
            await Answers.CountedUntilNowAsync(api.Http);
            partition = program.Read(program.Topic).GroupBy(record => record.Partition.Value).MaxBy(records => records.Count())!.Key;
            await program.DeleteRecordsAsync(partition, 20);
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        (int code, string said) = await ApiProcess.RunAsync(["verify", "--data", program.Data, .. program.Settings]);
        Assert.Contains($"partition {partition} of the topic: the log starts at offset 20; what was before is removed", said, StringComparison.Ordinal);
        Assert.Contains("windows were left out", said, StringComparison.Ordinal);
        Assert.True(code == 0, said);
    }

    [Fact]
    public async Task Log_print_prints_a_range_of_the_topic_and_names_what_is_no_click()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using ApiProcess api = await program.StartAsync();
        await MadeClicks.PostAsync(api.Http, "mine", 50);
        await Answers.CountedUntilNowAsync(api.Http);
        await program.ProduceAsync(("ad:1", "{ \"ad_id\":\"1\",\n \"click_id\":\"theirs\" }"u8.ToArray()), ("ad:1", "{\"ad_id\":\"\"}"u8.ToArray()));
        var lines = new List<JsonElement>();
        string all = "";
        for (int partition = 0; partition < 4; partition++)
        {
            (_, string said) = await ApiProcess.RunAsync(["log", "print", "--partition", $"{partition}", .. program.Settings]);
            all += said;
            lines.AddRange(said.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement));
        }

        Assert.Equal(
            Enumerable.Range(0, 50).Select(n => $"mine-{n}").Append("theirs").Order(StringComparer.Ordinal),
            lines.Select(line => line.GetProperty("click_id").GetString()!).Order(StringComparer.Ordinal));
        Assert.Contains("holds no click: id_invalid", all, StringComparison.Ordinal);
        JsonElement one = lines[3];
        (int code, string part) = await ApiProcess.RunAsync(
            ["log", "print", "--partition", one.GetProperty("partition").ToString(), "--from", one.GetProperty("offset").ToString(), "--to", $"{one.GetProperty("offset").GetInt64() + 1}", .. program.Settings]);
        Assert.Equal(one.GetRawText(), part.Trim());
        Assert.Equal(0, code);
    }
}
