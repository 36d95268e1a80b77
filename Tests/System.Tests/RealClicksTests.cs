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
