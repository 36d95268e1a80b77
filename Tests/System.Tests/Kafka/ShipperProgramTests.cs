using System.Text.Json.Nodes;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>From log files on one machine, through the shipper and Kafka, to the answers of an API that never saw the files.</summary>
public class ShipperProgramTests(KafkaServer kafka)
{
    [Fact]
    public async Task Real_clicks_from_files_equal_the_recount_although_the_shipper_was_killed_and_away_for_longer_than_repeats_are_known()
    {
        // Without ids, and with a horizon of a second: nothing that came twice would be taken for a repeat.
        string[] lines = [.. RealClicks.Lines.Take(40_000).Select(RealClicks.WithoutId)];
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        using var logs = new DataFolder();
        using var data = new DataFolder();
        string[] settings = ["--watch", logs.File("*.ndjson"), "--data", data.Path, .. program.Settings];
        await using ApiProcess api = await program.StartAsync("--Duplicates:Horizon=1s");
        string[][] parts = [.. lines.Chunk(8_000)];
        for (int part = 0; part < parts.Length; part++)
        {
            await using ProgramProcess shipper = await ShipperProcess.StartAsync(settings);
            await File.AppendAllLinesAsync(logs.File($"{part / 2}.ndjson"), parts[part]);
            if (part == parts.Length - 1)
            {
                await CountedAsync(api, lines.Length);
                break;
            }

            // Into the shipping; the next one starts when the horizon has passed.
            await CountedAsync(api, part * 8_000 + 1, atLeast: true);
            shipper.Kill();
            await Task.Delay(1_500);
        }

        await Answers.CountedUntilNowAsync(api.Http);
        await Answers.AgreeAsync(api.Http, Recount.Of(lines.Select((line, place) => line.Insert(1, $"\"click_id\":\"{place}\","))));
    }

    [Fact]
    public async Task What_kcat_produces_by_hand_is_counted()
    {
        Assert.SkipWhen(Kcat.Path is null, "no kcat here");
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using ApiProcess api = await program.StartAsync();
        await Answers.CountedUntilNowAsync(api.Http); // the topic is there
        string[] lines = [.. RealClicks.Lines.Take(5_000)];
        await Kcat.RunAsync(
            lines.Select(line => $"ad:{JsonNode.Parse(line)!["ad_id"]}\t{line}"),
            ["-b", await kafka.BootstrapServersAsync(), "-P", "-t", program.Topic, "-K", "\t", "-X", "partitioner=murmur2_random"]);
        await CountedAsync(api, lines.Length);
        await Answers.AgreeAsync(api.Http, Recount.Of(lines));
    }

    private static Task CountedAsync(ApiProcess api, long clicks, bool atLeast = false) =>
        Answers.RealClicksCountedAsync(api.Http, clicks, TimeSpan.FromMinutes(1), atLeast);
}
