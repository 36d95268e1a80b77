using System.Text.Json;

namespace ClickAggregator.Clicks.Tests.Parsing;

public class RealClickTests
{
    [Fact]
    public void Real_clicks_read_as_System_Text_Json_reads_them()
    {
        using Stream stream = typeof(RealClickTests).Assembly.GetManifestResourceStream("real-clicks.ndjson")!;
        using var reader = new StreamReader(stream);
        int lines = 0;
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement click = document.RootElement;
            Assert.Equal(
                new Parsed(
                    TargetKind.Ad, Text(click, "ad_id"), Text(click, "click_id"), click.GetProperty("timestamp").GetInt64(),
                    Text(click, "campaign_id"), Text(click, "user_id"), Text(click, "country"), Text(click, "device"),
                    Text(click, "referrer"), ""),
                Parsed.Click(line));
            lines++;
        }

        Assert.True(lines > 20);
    }

    private static string Text(JsonElement click, string field) =>
        click.TryGetProperty(field, out JsonElement value) ? value.GetString()! : "";
}
