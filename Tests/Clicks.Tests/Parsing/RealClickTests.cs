using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace ClickAggregator.Clicks.Tests.Parsing;

public class RealClickTests
{
    [Fact]
    public void Real_clicks_read_as_System_Text_Json_reads_them()
    {
        using Stream stream = Resource("real-clicks.ndjson");
        Assert.InRange(Compare(stream), 20, int.MaxValue);
    }

    [Fact]
    public void Every_click_of_the_bundled_sample_reads_as_System_Text_Json_reads_it()
    {
        using var stream = new GZipStream(Resource("usagov-clicks.ndjson.gz"), CompressionMode.Decompress);
        Assert.InRange(Compare(stream), 100_000, int.MaxValue);
    }

    private static int Compare(Stream stream)
    {
        using var reader = new StreamReader(stream);
        byte[] scratch = new byte[ClickParser.ScratchBytes];
        byte[] record = new byte[ClickRecord.MaxBytes];
        int lines = 0;
        while (reader.ReadLine() is { } line)
        {
            byte[] json = Encoding.UTF8.GetBytes(line);
            Assert.True(ClickParser.TryParse(json, scratch, Parsed.Now, out Click click, out ClickError error), $"{error}: {line}");
            Assert.True(ClickRecord.TryRead(record.AsSpan(0, ClickRecord.Write(in click, record)), out Click read));

            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement expected = document.RootElement;
            Assert.Equal(
                new Parsed(
                    TargetKind.Ad, Text(expected, "ad_id"), Text(expected, "click_id"),
                    expected.GetProperty("timestamp").GetInt64(), Text(expected, "campaign_id"), Text(expected, "user_id"),
                    Text(expected, "country"), Text(expected, "device"), Text(expected, "referrer"), ""),
                Parsed.Of(in read));
            lines++;
        }

        return lines;
    }

    private static Stream Resource(string name) => typeof(RealClickTests).Assembly.GetManifestResourceStream(name)!;

    private static string Text(JsonElement click, string field) =>
        click.TryGetProperty(field, out JsonElement value) ? value.GetString()! : "";
}
