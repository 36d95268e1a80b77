using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests;

/// <summary>The real clicks, in through every door, equal the recount to the click.</summary>
public class RealClicksTests
{
    // Where it is not the number that matters.
    private const int Some = 60_000;

    [Fact]
    public async Task Real_clicks_sent_over_http_equal_the_recount()
    {
        using var data = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path);
        await SendAsync(api.Http, RealClicks.Lines);
        await Answers.CountedToTheEndAsync(api.Http);
        await Answers.AgreeAsync(api.Http, Recount.Of(RealClicks.Lines), eachHour: true);
    }

    [Fact]
    public async Task Real_clicks_shuffled_and_each_sent_twice_equal_the_recount()
    {
        string[] lines = [.. RealClicks.Lines.Take(Some), .. RealClicks.Lines.Take(Some)];
        new Random(20130101).Shuffle(lines);
        using var data = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path);
        await SendAsync(api.Http, lines);
        await Answers.CountedToTheEndAsync(api.Http);

        Recount recount = Recount.Of(lines);
        Assert.Equal(lines.Length / 2, recount.Duplicates);
        await Answers.AgreeAsync(api.Http, recount);
    }

    [Fact]
    public async Task Real_clicks_from_watched_files_equal_the_recount()
    {
        using var data = new DataFolder();
        using var logs = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path, "--watch", logs.File("*.ndjson"));
        await WriteAsync(logs, RealClicks.Lines, async written => await FollowedAsync(api.Http, written));
        await FollowedAsync(api.Http, RealClicks.Lines.Count);
        await Answers.AgreeAsync(api.Http, Recount.Of(RealClicks.Lines), eachHour: true);
    }

    [Fact]
    public async Task Real_clicks_shuffled_and_each_written_twice_to_watched_files_equal_the_recount()
    {
        string[] lines = [.. RealClicks.Lines.Take(Some), .. RealClicks.Lines.Take(Some)];
        new Random(20130102).Shuffle(lines);
        using var data = new DataFolder();
        using var logs = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path, "--watch", logs.File("*.ndjson*"));
        await WriteAsync(logs, lines, _ => Task.CompletedTask);
        await FollowedAsync(api.Http, Some);
        await Answers.AgreeAsync(api.Http, Recount.Of(lines));
    }

    [Fact]
    public async Task Killed_while_it_follows_files_it_neither_skips_nor_repeats_a_line()
    {
        // Without ids no duplicate check could hide a line that was read twice.
        string[] lines = [.. RealClicks.Lines.Take(Some).Select(RealClicks.WithoutId)];
        using var data = new DataFolder();
        using var logs = new DataFolder();
        var random = new Random();
        Task writing = Task.CompletedTask;
        for (int kill = 0; kill < 5; kill++)
        {
            await using ApiProcess api = await ApiProcess.StartAsync(data.Path, "--watch", logs.File("*.ndjson*"));
            if (kill == 0)
            {
                writing = Task.Run(() => WriteAsync(logs, lines, _ => Task.Delay(random.Next(4000))));
            }

            await Task.Delay(random.Next(20, 1200)); // the moment of the kill is what is random here
            api.Kill();
        }

        await writing;
        await using ApiProcess last = await ApiProcess.StartAsync(data.Path, "--watch", logs.File("*.ndjson*"));
        await FollowedAsync(last.Http, lines.Length);
        await Answers.AgreeAsync(last.Http, Recount.Of([.. lines.Select((line, place) => line.Insert(1, $"\"click_id\":\"{place}\","))]));
    }

    /// <summary>Writes three files; one is written to in two parts, and renamed between them.</summary>
    private static async Task WriteAsync(DataFolder logs, IReadOnlyList<string> lines, Func<int, Task> half)
    {
        string[][] parts = [.. lines.Chunk((lines.Count / 3) + 1)];
        await File.WriteAllLinesAsync(logs.File("a.ndjson"), parts[0]);
        await using (var writer = new StreamWriter(logs.File("c.ndjson")) { AutoFlush = true })
        {
            foreach (string line in parts[2].Take(parts[2].Length / 2))
            {
                await writer.WriteLineAsync(line);
            }
        }

        await half(parts[0].Length + (parts[2].Length / 2));
        File.Move(logs.File("c.ndjson"), logs.File("c.ndjson.1"));
        await File.WriteAllLinesAsync(logs.File("b.ndjson"), parts[1]);
        await File.WriteAllLinesAsync(logs.File("c.ndjson"), parts[2].Skip(parts[2].Length / 2));
    }

    private static Task FollowedAsync(HttpClient http, int clicks) => Eventually.Async(
        $"{clicks} clicks are read from the watched files",
        async () =>
        {
            await Answers.CountedToTheEndAsync(http);
            return await Answers.ClicksAsync(http, $"/v1/clicks/total?{RealClicks.Range}") == clicks;
        },
        TimeSpan.FromMinutes(2));

    /// <summary>Sends lines as NDJSON, 1,000 a request, every other request gzipped.</summary>
    internal static async Task SendAsync(HttpClient http, IReadOnlyList<string> lines)
    {
        int request = 0;
        foreach (string[] some in lines.Chunk(1000))
        {
            byte[] body = Encoding.UTF8.GetBytes(string.Join('\n', some));
            using var content = new ByteArrayContent(request++ % 2 == 0 ? body : Gzip(body));
            content.Headers.ContentType = new("application/x-ndjson");
            if (request % 2 == 0)
            {
                content.Headers.ContentEncoding.Add("gzip");
            }

            using HttpResponseMessage answer = await http.PostAsync("/v1/clicks", content);
            string text = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode == 202, text);
            using var json = JsonDocument.Parse(text);
            Assert.Equal(some.Length, json.RootElement.GetProperty("accepted").GetInt32());
        }
    }

    private static byte[] Gzip(byte[] body)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(body);
        }

        return packed.ToArray();
    }
}
