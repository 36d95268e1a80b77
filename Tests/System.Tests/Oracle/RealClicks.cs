using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClickAggregator.SystemTests.Oracle;

/// <summary>
/// Real clicks as lines of JSON: the bundled sample, or the file that <c>CLICKS_REAL_CLICKS</c> names
/// (NDJSON, gzip). Lines without a click id are given one, so that a repeat can be recognised.
/// </summary>
internal static class RealClicks
{
    /// <summary>The range of a query that all of them lie in.</summary>
    public const string Range = "from=2012-12-31T00:00:00Z&to=2013-04-01T00:00:00Z";

    public static IReadOnlyList<string> Lines { get; } = Load();

    /// <summary>A line as of a producer that gives no ids: no check for repeats can hide that it was counted twice.</summary>
    public static string WithoutId(string line)
    {
        JsonObject click = JsonNode.Parse(line)!.AsObject();
        click.Remove("click_id");
        return click.ToJsonString(JsonSerializerOptions.Default);
    }

    private static List<string> Load()
    {
        string? path = Environment.GetEnvironmentVariable("CLICKS_REAL_CLICKS");
        if (string.IsNullOrEmpty(path))
        {
            path = Path.Combine(Repository.Root, "samples", "usagov-clicks.ndjson.gz");
        }

        var lines = new List<string>();
        using var gzip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        while (reader.ReadLine() is string line)
        {
            JsonObject click = JsonNode.Parse(line)!.AsObject();
            if (!click.ContainsKey("click_id"))
            {
                click["click_id"] = $"real-{lines.Count}";
                line = click.ToJsonString(JsonSerializerOptions.Default);
            }

            lines.Add(line);
        }

        return lines;
    }
}
