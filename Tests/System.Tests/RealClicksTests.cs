using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests;

/// <summary>The real clicks, in through every door, equal the recount to the click.</summary>
public class RealClicksTests
{
    [Fact]
    public async Task Real_clicks_sent_over_http_equal_the_recount()
    {
        using var data = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path);
        await SendAsync(api.Http, RealClicks.Lines);
        await Answers.CountedToTheEndAsync(api.Http);
        await Answers.AgreeAsync(api.Http, Recount.Of(RealClicks.Lines));
    }

    [Fact]
    public async Task Real_clicks_shuffled_and_each_sent_twice_equal_the_recount()
    {
        string[] lines = [.. RealClicks.Lines, .. RealClicks.Lines];
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

        // Three files; one grows while it is followed, and is rotated by rename half-way.
        string[][] parts = [.. RealClicks.Lines.Chunk((RealClicks.Lines.Count / 3) + 1)];
        await File.WriteAllLinesAsync(logs.File("a.ndjson"), parts[0]);
        await File.WriteAllLinesAsync(logs.File("b.ndjson"), parts[1]);
        await using (var writer = new StreamWriter(logs.File("c.ndjson")) { AutoFlush = true })
        {
            foreach (string line in parts[2].AsSpan(0, parts[2].Length / 2).ToArray())
            {
                await writer.WriteLineAsync(line);
            }
        }

        await FollowedAsync(api.Http, parts[0].Length + parts[1].Length + (parts[2].Length / 2));
        File.Move(logs.File("c.ndjson"), logs.File("c.ndjson.1"));
        await File.WriteAllLinesAsync(logs.File("c.ndjson"), parts[2].Skip(parts[2].Length / 2));
        await FollowedAsync(api.Http, RealClicks.Lines.Count);
        await Answers.CountedToTheEndAsync(api.Http);
        await Answers.AgreeAsync(api.Http, Recount.Of(RealClicks.Lines));
    }

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

    private static Task FollowedAsync(HttpClient http, int clicks) => Eventually.Async(
        $"{clicks} clicks are read from the watched files",
        async () =>
        {
            await Answers.CountedToTheEndAsync(http);
            return await Answers.ClicksAsync(http, "/v1/clicks/total?from=2012-12-31T00:00:00Z&to=2013-04-01T00:00:00Z") == clicks;
        },
        TimeSpan.FromMinutes(2));
}
