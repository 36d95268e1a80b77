using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using ClickAggregator.SystemTests.Reconciliation;
using Confluent.Kafka;

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>Real clicks and odd ones through the program, a real broker and the grains to the answers.</summary>
public class KafkaClicksTests(KafkaServer kafka)
{
    [Theory]
    [InlineData("compact")]
    [InlineData("json")]
    public async Task Real_clicks_over_http_and_from_files_equal_the_recount(string format)
    {
        IReadOnlyList<string> lines = format == "json" ? [.. RealClicks.Lines.Take(20_000)] : RealClicks.Lines;
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        using var logs = new DataFolder();
        await using ApiProcess api = await program.StartAsync("--watch", logs.File("*.ndjson"), $"--Kafka:Format={format}");
        await File.WriteAllLinesAsync(logs.File("a.ndjson"), lines.Take(lines.Count / 2));
        await RealClicksTests.SendAsync(api.Http, [.. lines.Skip(lines.Count / 2)]);
        await CountedAsync(api, lines.Count);
        await Answers.AgreeAsync(api.Http, Recount.Of(lines));
    }

    [Fact]
    public async Task Embedded_first_then_with_Kafka_nothing_is_skipped_and_nothing_counted_twice()
    {
        // Without ids no duplicate check could hide a click that came twice.
        string[] lines = [.. RealClicks.Lines.Take(60_000).Select(RealClicks.WithoutId)];
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using (ApiProcess embedded = await ApiProcess.StartAsync(program.Data))
        {
            await RealClicksTests.SendAsync(embedded.Http, lines[..25_000]);
            embedded.Kill(); // perhaps in the middle of a batch
        }

        await using (ApiProcess first = await program.StartAsync())
        {
            await RealClicksTests.SendAsync(first.Http, lines[25_000..40_000]);
            first.Kill();
        }

        await using ApiProcess api = await program.StartAsync();
        await RealClicksTests.SendAsync(api.Http, lines[40_000..]);
        await CountedAsync(api, lines.Length);
        await Answers.AgreeAsync(api.Http, Recount.Of(lines.Select((line, place) => line.Insert(1, $"\"click_id\":\"{place}\","))));
        await Answers.CountedUntilNowAsync(api.Http);
        Assert.Equal(lines.Length, await Answers.ClicksAsync(api.Http, $"/v1/clicks/total?{RealClicks.Range}"));
        await using ApiProcess back = await StopAndStartEmbeddedAsync(api, program);
        await Eventually.Async(
            "it says that the click log was closed",
            async () => (await back.Http.GetStringAsync("/v1/status")).Contains("log_replaced", StringComparison.Ordinal),
            TimeSpan.FromSeconds(30));
        Assert.Equal(lines.Length, await Answers.ClicksAsync(back.Http, $"/v1/clicks/total?{RealClicks.Range}"));
    }

    [Fact]
    public async Task Every_record_published_twice_by_another_producer_counts_once()
    {
        string[] lines = [.. RealClicks.Lines.Take(20_000)];
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using ApiProcess api = await program.StartAsync();
        await Answers.CountedUntilNowAsync(api.Http); // the topic is there
        string[] twice = [.. lines, .. lines];
        new Random(20130103).Shuffle(twice);
        await program.ProduceAsync(twice);
        await CountedAsync(api, lines.Length);
        await Answers.CountedUntilNowAsync(api.Http);
        await Answers.AgreeAsync(api.Http, Recount.Of(twice));
    }

    [Fact]
    public async Task Poison_goes_to_the_dead_letters_with_its_offset_and_reason_and_the_partition_moves_on()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using ApiProcess api = await program.StartAsync("--Kafka:Partitions=4");
        await Answers.CountedUntilNowAsync(api.Http);
        string deep = string.Concat(Enumerable.Repeat("[", 10_000));
        (string Reason, byte[]? Value)[] poison =
        [
            ("empty", null),
            ("empty", []),
            ("malformed_json", [0xff, 0xfe, 0x00]),
            ("malformed_json", Encoding.UTF8.GetBytes("{\"ad_id\":\"a\"")),
            ("malformed_record", [1, 1, 200, 0, 0]),
            ("target_missing", "{}"u8.ToArray()),
            ("id_invalid", Encoding.UTF8.GetBytes("{\"ad_id\":\"../../etc/passwd\"}")),
            ("id_invalid", Encoding.UTF8.GetBytes("{\"ad_id\":\"a\\r\\nSet-Cookie: x\"}")),
            ("id_invalid", Encoding.UTF8.GetBytes("{\"ad_id\":\"\u202egnp.exe\"}")),
            ("duplicate_field", Encoding.UTF8.GetBytes("{\"ad_id\":\"a\",\"ad_id\":\"b\"}")),
            ("timestamp_in_seconds", Encoding.UTF8.GetBytes("{\"ad_id\":\"a\",\"timestamp\":1384729205}")),
            ("too_deep", Encoding.UTF8.GetBytes("{\"ad_id\":\"a\",\"x\":" + deep)),
            ("line_too_long", Encoding.UTF8.GetBytes("{\"ad_id\":\"a\",\"x\":\"" + new string('x', 900_000) + "\"}")),
        ];
        await program.ProduceAsync(poison.SelectMany((record, n) => new[]
        {
            ($"ad:{n}", record.Value), ($"ad:{n}", (byte[]?)Encoding.UTF8.GetBytes($"{{\"ad_id\":\"{n}\"}}")),
        }));

        // The good ones lack id and time, as other producers' may: each counts, at its append time.
        await Eventually.Async(
            "all good clicks are counted",
            async () => await Answers.ClicksAsync(api.Http, "/v1/clicks/total?last=20m") == poison.Length,
            TimeSpan.FromMinutes(1));
        await Answers.CountedUntilNowAsync(api.Http);
        List<ConsumeResult<byte[], byte[]>> letters = program.Read(program.Topic + "-dead-letters");
        Assert.Equal(
            poison.Select(record => record.Reason).Order(StringComparer.Ordinal),
            letters.Select(letter => Header(letter, "reason")).Order(StringComparer.Ordinal));
        List<ConsumeResult<byte[], byte[]>> records = program.Read(program.Topic);
        Assert.All(letters, letter =>
        {
            byte[] original = records.Single(record =>
                record.Partition.Value == int.Parse(Header(letter, "partition"), null) && record.Offset.Value == long.Parse(Header(letter, "offset"), null)).Message.Value ?? [];
            byte[] kept = letter.Message.Value ?? [];
            Assert.Equal(original.Take(kept.Length), kept);
            Assert.Equal(original.Length, int.Parse(Header(letter, "length"), null));
            Assert.Equal($"{Header(letter, "partition")}-{Header(letter, "offset")}", Encoding.UTF8.GetString(letter.Message.Key));
        });
        Assert.Contains("went to the dead letters", api.Output, StringComparison.Ordinal);
        string metrics = await api.Http.GetStringAsync("/metrics");
        Assert.All(poison, record => Assert.Matches($"clicks_dead_letters_total{{[^}}]*reason=\"{record.Reason}\"", metrics));
        Assert.DoesNotContain("reason=\"unreadable\"", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Partitions_added_under_load_are_counted_without_a_restart()
    {
        string[] lines = [.. RealClicks.Lines.Take(40_000)];
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using ApiProcess api = await program.StartAsync("--Kafka:Partitions=4", "--Kafka:Client:topic.metadata.refresh.interval.ms=500");
        await RealClicksTests.SendAsync(api.Http, lines[..20_000]);
        await program.AddPartitionsAsync(7);
        int sent = 20_000;
        await Eventually.Async(
            "clicks go to a new partition",
            async () =>
            {
                await RealClicksTests.SendAsync(api.Http, lines[sent..(sent += 500)]);
                return program.Read(program.Topic).Any(record => record.Partition.Value >= 4);
            },
            TimeSpan.FromMinutes(1));
        await RealClicksTests.SendAsync(api.Http, lines[sent..]);
        await CountedAsync(api, lines.Length);
        await Answers.AgreeAsync(api.Http, Recount.Of(lines));
    }

    /// <summary>As EXACTLY-ONCE.md says it: the counting knows the ids of each chain by itself, the recount those of all.</summary>
    [Fact]
    public async Task A_click_that_is_sent_again_behind_added_partitions_counts_once_when_its_hour_is_final()
    {
        const int Ads = 40;
        long hour = (TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 3600) - 4;
        string[] lines = [.. Enumerable.Range(0, Ads * 5).Select(n => $$"""{"ad_id":"g{{n % Ads}}","click_id":"c{{n}}","timestamp":{{(hour * 3_600_000) + (n * 1000)}}}""")];
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using ApiProcess api = await program.StartAsync("--Kafka:Partitions=4", "--Archive:MaxAge=1s", "--Kafka:Client:topic.metadata.refresh.interval.ms=500");
        await program.ProduceAsync(lines);
        string total = $"/v1/clicks/total?from={Runs.Hour(hour)}&to={Runs.Hour(hour + 1)}";
        await Eventually.Async("they are counted", async () => await Answers.ClicksAsync(api.Http, total) == lines.Length, TimeSpan.FromMinutes(1));
        await program.AddPartitionsAsync(7);
        await program.ProduceAsync(lines);
        string[] twice = [.. program.Read(program.Topic).GroupBy(record => Encoding.UTF8.GetString(record.Message.Value))
            .Where(same => same.Select(record => record.Partition.Value).Distinct().Count() > 1).Select(same => same.Key)];
        Assert.InRange(twice.Length, 5, lines.Length - 5);
        await Eventually.Async("what moved counts twice", async () => await Answers.ClicksAsync(api.Http, total) == lines.Length + twice.Length, TimeSpan.FromMinutes(1));

        JsonElement run = await Runs.RunAsync(api.Http, hour, hour + 1);
        Assert.True(run.GetProperty("state").GetString() == "done", run.ToString());
        Assert.Equal(lines.Length, await Answers.ClicksAsync(api.Http, total));
        for (int ad = 0; ad < Ads; ad++)
        {
            Assert.Equal(5, await Answers.ClicksAsync(api.Http, $"/v1/ads/g{ad}/clicks?from={Runs.Hour(hour)}&to={Runs.Hour(hour + 1)}"));
        }

        Assert.All(await Runs.CorrectionsAsync(api.Http, run.GetProperty("id").GetInt64()), line => Assert.Equal(("duplicate", "settled"), (line.Cause, line.State)));
        Assert.Equal(0, (await Runs.RunAsync(api.Http, hour, hour + 1)).GetProperty("corrections").GetInt64());
        using var moved = JsonDocument.Parse(twice[0]);
        JsonElement trace = await api.Http.GetFromJsonAsync<JsonElement>(
            $"/v1/clicks/{moved.RootElement.GetProperty("click_id").GetString()}/trace?from={Runs.Hour(hour)}&to={Runs.Hour(hour + 1)}");
        Assert.Equal(
            [(true, null), (false, "repeat_in_another_partition")],
            trace.GetProperty("places").EnumerateArray().Select(place => (place.GetProperty("counted").GetBoolean(), place.GetProperty("reason").GetString())));
    }

    private static Task CountedAsync(ApiProcess api, long clicks) => Answers.RealClicksCountedAsync(api.Http, clicks, TimeSpan.FromMinutes(2));

    private static async Task<ApiProcess> StopAndStartEmbeddedAsync(ApiProcess api, KafkaProgram program)
    {
        api.Signal(15);
        await api.WaitForExitAsync();
        return await ApiProcess.StartAsync(program.Data);
    }

    private static string Header(ConsumeResult<byte[], byte[]> record, string name) =>
        Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
