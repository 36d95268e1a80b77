using System.Text.Json;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Servers;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>A client of another make, which knows nothing but the tables' columns, finds the numbers that the store answers with.</summary>
public class IndependentReaderTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Hour = 500_000;
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task The_Python_driver_reads_the_same_numbers()
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        var random = new Random(11);
        string[] series = ["total", "ad:1", "ad:é日👍", "campaign:9", "page:p-1|country:DE"];
        for (int n = 0; n < 300; n++)
        {
            long[] minutes = new long[60];
            for (int of = random.Next(1, 6); of > 0; of--)
            {
                minutes[random.Next(60)] += random.Next(1, 1_000_000_000);
            }

            var row = new WindowRow
            {
                Minutes = n % 7 == 0 ? null : minutes,
                Quarters = [.. minutes.Chunk(15).Select(quarter => quarter.Sum())],
                Stamp = 1000 + n,
                Upto = n,
                SetAside = n % 11 == 0,
            };
            await store.Store.Windows.WriteAsync(new WindowKey(series[random.Next(series.Length)], Hour + random.Next(60), random.Next(3)), row, null, s_go);
        }

        await store.Batches.WriteAsync(
            new BatchRows(1, 9, 9, [Hour], [new TopList(new TopKey(TargetKind.Ad, TopSlice.Hour, Hour, 1), [new TopEntry("é", 9), new TopEntry("a", 8)], 7)],
                [new PageRow("page:p-1", "https://one/", 5)]),
            s_go);

        string output = await PythonDriver.RunAsync("Cassandra/reader.py", [keyspace.Host, $"{server.Port}", keyspace.Name]);
        JsonElement found = JsonDocument.Parse(output).RootElement;

        Dictionary<WindowKey, WindowRow> rows = await store.Counts.ScanWindowsAsync(s_go).ToDictionaryAsync(pair => pair.Key, pair => pair.Row);
        Assert.Equal(
            rows.Select(pair => $"{pair.Key} {JsonSerializer.Serialize(new object?[] { pair.Value.Quarters, pair.Value.Minutes, pair.Value.Upto, pair.Value.Stamp, pair.Value.SetAside })}")
                .Order(StringComparer.Ordinal),
            Lines(found, "hours"));
        Assert.Equal(
            (await store.Counts.ReadDaysAsync(series, 0, 100_000, s_go)).Select(row => $"{row.Series}@{row.Day}@{row.Chain} {JsonSerializer.Serialize(row.Quarters)}")
                .Order(StringComparer.Ordinal),
            Lines(found, "days"));
        Assert.Equal([$"ad hour {Hour} 1 [7,[[\"é\",9],[\"a\",8]]]"], Lines(found, "tops"));
        Assert.Equal(["page:p-1 \"https://one/\""], Lines(found, "pages"));
        Assert.Equal(
            rows.Keys.Select(key => $"{key.Hour / 24} {key.Series}").Distinct().Order(StringComparer.Ordinal),
            found.GetProperty("series").EnumerateArray().Select(name => name.GetString()!).Distinct().Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Lines(JsonElement found, string part) => found.GetProperty(part).EnumerateObject()
        .Select(each => $"{each.Name} {JsonSerializer.Serialize(JsonSerializer.Deserialize<object>(each.Value.GetRawText()), s_plain)}").Order(StringComparer.Ordinal);

    private static readonly JsonSerializerOptions s_plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
