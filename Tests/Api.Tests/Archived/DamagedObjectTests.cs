using System.Globalization;
using System.Text.Json;
using ClickAggregator.Api.Tests.Queries;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Tests.Archived;

/// <summary>Somebody damages one archived object: what cannot be in it is answered as before, and what may be is refused with its name.</summary>
public sealed class DamagedObjectTests : IAsyncLifetime
{
    private const int Targets = 12;
    private const int ClicksOfMany = 400;

    /// <summary>Its lines are more than 64 KiB before those of the damaged object.</summary>
    private const string Many = "many";
    private static readonly DateTimeOffset s_noon = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddHours(-12), TimeSpan.Zero);
    private static readonly string s_range = $"from={s_noon:yyyy-MM-ddTHH:mm:ss}Z&to={s_noon.AddHours(3):yyyy-MM-ddTHH:mm:ss}Z";
    private ApiServer? _server;

    private ApiServer Server => _server!;

    private int Damaged => PartitionOf(Many);

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync("--Archive:MaxAge=1s");
        var clicks = new List<string>();
        clicks.AddRange(Enumerable.Range(0, ClicksOfMany).Select(n => Click($"m-{n}", Many, n)));
        clicks.AddRange(Enumerable.Range(0, Targets).SelectMany(n => new[] { Click($"k-{n}", $"a-{n}", n), Click($"l-{n}", $"a-{n}", 7200 + n) }));
        clicks.AddRange(Enumerable.Range(0, 3).Select(n => Click($"late-{n}", Many, 7200 + n)));
        Answer posted = await Server.PostAsync(string.Join('\n', clicks), "application/x-ndjson");
        Assert.Equal((202, 0), (posted.Status, posted.Rejected));
        await LoadedServer.CountedAsync(Server);
        Answer archived = await Server.UntilAsync("/v1/status", status => status.Json.GetProperty("archive") is { ValueKind: JsonValueKind.Array } archive
            && archive.EnumerateArray().Sum(chain => chain.GetProperty("upto").GetInt64()) == clicks.Count
            && Directory.Exists(Path.Combine(Server.DataDirectory, "archive", "clicks")) // the first that is moved there makes it
            && Directory.GetFiles(Path.Combine(Server.DataDirectory, "archive", "clicks"), "*.parquet", SearchOption.AllDirectories).Length == 2 * Server.Log.Partitions);
        int chain = archived.Json.GetProperty("archive").EnumerateArray().Single(one => one.GetProperty("partition").GetInt32() == Damaged).GetProperty("chain").GetInt32();
        string file = Assert.Single(Directory.GetFiles(Path.Combine(Server.DataDirectory, "archive", "clicks"), $"p{chain:D4}-*", SearchOption.AllDirectories), file => file.Contains("hour=14", StringComparison.Ordinal));
        byte[] content = await File.ReadAllBytesAsync(file);
        content[content.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, content);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    [Fact]
    public async Task One_damaged_object_takes_the_export_and_the_trace_of_its_own_partition_alone()
    {
        Assert.Equal(Server.Log.Partitions, Enumerable.Range(0, Targets).Select(n => PartitionOf($"a-{n}")).Distinct().Count());
        for (int n = 0; n < Targets; n++)
        {
            foreach (string form in (string[])["ndjson", "parquet"])
            {
                using HttpResponseMessage export = await Server.Client.GetAsync(new Uri($"/v1/ads/a-{n}/clicks/export?{s_range}&format={form}", UriKind.Relative), TestContext.Current.CancellationToken);
                if (PartitionOf($"a-{n}") == Damaged)
                {
                    Check(await Answer.ReadAsync(export));
                }
                else
                {
                    Assert.Equal(200, (int)export.StatusCode);
                    Assert.True(form == "parquet" || (await Answer.ReadAsync(export)).Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 2);
                }
            }

            Answer trace = await Server.GetAsync($"/v1/clicks/l-{n}/trace?ad_id=a-{n}&{s_range}");
            if (PartitionOf($"a-{n}") == Damaged)
            {
                Check(trace);
            }
            else
            {
                Assert.Single(trace.Json.GetProperty("places").EnumerateArray());
            }
        }

        // Without the target it may be anywhere.
        Check(await Server.GetAsync($"/v1/clicks/k-0/trace?{s_range}"));

        // A range without the object's hour.
        Assert.Equal(ClicksOfMany, (await Server.GetAsync($"/v1/ads/{Many}/clicks/export?{s_range.Split("&to=")[0]}&to={s_noon.AddHours(2):yyyy-MM-ddTHH:mm:ss}Z")).Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task An_export_that_has_begun_is_cut_off_where_it_comes_to_the_damage()
    {
        using HttpResponseMessage export = await Server.Client.GetAsync(
            new Uri($"/v1/ads/{Many}/clicks/export?{s_range}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)export.StatusCode);
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await using Stream body = await export.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await body.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        });
    }

    private static void Check(Answer answer)
    {
        QueryErrorTests.Check(answer, 503, "archive_damaged", null);
        Assert.Equal("60", answer.Message.Headers.RetryAfter!.ToString());
        string detail = answer.Json.GetProperty("detail").GetString()!;
        Assert.Contains("/hour=14/p000", detail, StringComparison.Ordinal);
        Assert.Contains("Bring it back", detail, StringComparison.Ordinal);
        Assert.Null(answer.Message.Content.Headers.ContentDisposition);
    }

    private int PartitionOf(string ad) => TargetPartitioner.Partition(TargetKind.Ad, System.Text.Encoding.UTF8.GetBytes(ad), Server.Log.Partitions);

    private static string Click(string id, string ad, int second) =>
        string.Create(CultureInfo.InvariantCulture, $"{{\"click_id\":\"{id}\",\"ad_id\":\"{ad}\",\"timestamp\":{s_noon.AddSeconds(second).ToUnixTimeMilliseconds()},\"user_id\":\"u-{second % 3}\"}}");
}
