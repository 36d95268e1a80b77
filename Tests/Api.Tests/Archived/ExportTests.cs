using System.Globalization;
using System.Text.Json;
using ClickAggregator.Api.Archived;
using ClickAggregator.Api.Tests.Queries;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Archived;

/// <summary>The raw clicks of one target, out of the archive.</summary>
[Collection(nameof(ArchivedServer))]
public class ExportTests(ArchivedServer archived)
{
    [Fact]
    public async Task Every_click_of_the_target_and_the_range_is_a_line_and_no_other()
    {
        Answer answer = await archived.Server.GetAsync($"/v1/ads/a-7/clicks/export?{ArchivedServer.Range}");
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal("application/x-ndjson", answer.Message.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment; filename=\"ad-a-7.ndjson\"", answer.Message.Content.Headers.ContentDisposition!.ToString());
        JsonElement[] lines = Lines(answer);
        Assert.Equal(Enumerable.Range(0, 30).Select(n => $"k-{(n * 10) + 7}").Append("k-7").Order(StringComparer.Ordinal), lines.Select(line => Text(line, "click_id")).Order(StringComparer.Ordinal));
        Assert.All(lines, line => Assert.Equal("a-7", Text(line, "ad_id")));
        JsonElement[] repeats = [.. lines.Where(line => line.GetProperty("duplicate").GetBoolean())];
        Assert.Equal("k-7", Text(Assert.Single(repeats), "click_id"));
        JsonElement one = lines.Single(line => Text(line, "click_id") == "k-17");
        Assert.Equal(ArchivedServer.Noon.AddSeconds(17 * 30), DateTimeOffset.Parse(Text(one, "timestamp")!, CultureInfo.InvariantCulture));
        Assert.Equal(("u-2", "DE", "news.example"), (Text(one, "user_id"), Text(one, "country"), Text(one, "referrer")));
        Assert.False(one.TryGetProperty("device", out _));
        Assert.True(one.GetProperty("offset").GetInt64() >= 0);
    }

    [Fact]
    public async Task The_range_is_the_clicks_own_time()
    {
        string from = ArchivedServer.Noon.AddMinutes(60).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string to = ArchivedServer.Noon.AddMinutes(75).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture);
        Answer answer = await archived.Server.GetAsync($"/v1/ads/a-3/clicks/export?from={from}&to={to}");
        Assert.Equal(["k-123", "k-133", "k-143"], Lines(answer).Select(line => Text(line, "click_id")).Order(StringComparer.Ordinal));
        Assert.Equal((from, to), (answer.Message.Headers.GetValues("X-From").Single(), answer.Message.Headers.GetValues("X-To").Single()));
    }

    [Fact]
    public async Task It_says_until_when_it_has_every_click()
    {
        Answer answer = await archived.Server.GetAsync($"/v1/ads/a-7/clicks/export?{ArchivedServer.Range}");
        DateTimeOffset until = DateTimeOffset.Parse(answer.Message.Headers.GetValues("X-Archived-Until").Single(), CultureInfo.InvariantCulture);
        Assert.InRange(until, TimeProvider.System.GetUtcNow().AddMinutes(-10), TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task A_target_without_clicks_has_no_lines()
    {
        foreach (string path in (string[])["/v1/ads/nobody", "/v1/videos/a-7"])
        {
            Answer answer = await archived.Server.GetAsync($"{path}/clicks/export?{ArchivedServer.Range}");
            Assert.Equal((200, ""), (answer.Status, answer.Body));
        }

        QueryErrorTests.Check(await archived.Server.GetAsync($"/v1/ads/nobody/clicks/export?{ArchivedServer.Range}&format=parquet"), 404, "not_found", null);
    }

    [Fact]
    public async Task As_Parquet_it_is_one_file_of_the_archives_own_form()
    {
        using HttpResponseMessage message = await archived.Server.Client.GetAsync(
            new Uri($"/v1/ads/a-7/clicks/export?{ArchivedServer.Range}&format=parquet", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(ExportQuery.Parquet, message.Content.Headers.ContentType!.MediaType);
        byte[] file = await message.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        IClickFiles files = archived.Server.Services.GetRequiredService<IClickFiles>();
        var rows = new ClickRows();
        Assert.Equal(31, files.Read(file, rows, ClickColumns.All).Sum());
        Assert.Equal(TargetKind.Ad, rows.Kinds[0]);
        Assert.Equal("a-7", rows.TargetIds.Text(0));
    }

    [Theory]
    [InlineData("format=csv", "format")]
    [InlineData("format=", "format")]
    [InlineData("last=x", "last")]
    [InlineData("from=2026-11-22&to=2026-11-21", "to")]
    public async Task A_parameter_that_is_not_right_is_named(string query, string field) =>
        QueryErrorTests.Check(await archived.Server.GetAsync("/v1/ads/a-7/clicks/export?" + query), 400, "invalid_parameter", field);

    [Fact]
    public async Task What_is_not_there_is_refused()
    {
        QueryErrorTests.Check(await archived.Server.GetAsync("/v1/ads/a%7C7/clicks/export"), 400, "invalid_parameter", "id");
        QueryErrorTests.Check(await archived.Server.GetAsync("/v1/ads/a-7/clicks/export?limit=3"), 400, "unknown_parameter", null);
        QueryErrorTests.Check(await archived.Server.GetAsync("/v1/campaigns/c-7/clicks/export"), 404, "not_found", null);
    }

    [Fact]
    public async Task Two_read_at_once_and_a_third_is_asked_to_come_again()
    {
        ReadingGate gate = archived.Server.Services.GetRequiredService<ReadingGate>();
        using (gate.Enter())
        using (gate.Enter())
        {
            Answer answer = await archived.Server.GetAsync("/v1/ads/a-7/clicks/export");
            QueryErrorTests.Check(answer, 429, "rate_limited", null);
            Assert.Equal("5", answer.Message.Headers.RetryAfter!.ToString());
        }

        Assert.Equal(200, (await archived.Server.GetAsync("/v1/ads/a-7/clicks/export")).Status);
    }

    [Fact]
    public async Task An_object_that_is_not_what_the_manifest_says_is_not_read()
    {
        ArchiveReader reader = archived.Server.Services.GetRequiredService<ArchiveReader>();
        CancellationToken cancel = TestContext.Current.CancellationToken;
        int hour = (int)(ArchivedServer.Noon.ToUnixTimeSeconds() / 3600);
        int read = 0;
        foreach (ArchiveProgress chain in await reader.ChainsAsync(cancel))
        {
            foreach (ListedObject one in await reader.ObjectsAsync(chain.Chain, hour, hour + 3, cancel))
            {
                read++;
                string nothing = new('0', 64);
                Assert.NotNull(one.Object.Footer);
                foreach (ListedObject listed in (ListedObject[])
                    [
                        one,
                        one with { Object = one.Object with { Footer = null } },

                        // Asked again, it is what the manifest says now.
                        one with { Object = one.Object with { Sha256 = nothing, Footer = null } },
                        one with { Object = one.Object with { Footer = new ObjectFooter(one.Object.Footer.Value.Bytes, nothing) } },
                        one with { Object = one.Object with { Footer = new ObjectFooter(100, nothing) } },
                    ])
                {
                    (long rows, long bytes) = await ReadAsync(listed);
                    Assert.Equal(one.Object.Rows, rows);
                    Assert.InRange(bytes, one.Object.Footer.Value.Bytes, one.Object.Bytes);
                }

                foreach (ObjectFooter? footer in (ObjectFooter?[])[null, new ObjectFooter(one.Object.Footer.Value.Bytes, nothing)])
                {
                    ListedObject other = one with { Object = one.Object with { Sha256 = nothing, Footer = footer } };
                    var altered = await Assert.ThrowsAsync<ArchiveDamagedException>(() => ReadAsync(other with { Hour = hour + 1000 }));
                    var gone = await Assert.ThrowsAsync<ArchiveDamagedException>(() => ReadAsync(one with { Object = one.Object with { Key = one.Object.Key + "x", Footer = footer } }));
                    Assert.Contains(one.Object.Key, altered.Message, StringComparison.Ordinal);
                    Assert.Contains(one.Object.Key + "x is gone", gone.Message, StringComparison.Ordinal);
                }
            }
        }

        Assert.True(read > 0);

        async Task<(long Rows, long Bytes)> ReadAsync(ListedObject listed)
        {
            (long rows, long bytes) = (0, 0);
            await foreach (ReadRows read in reader.ReadAsync([listed], new ClickRows(), ClickColumns.All, null, cancel))
            {
                rows += read.Count;
                bytes += read.Bytes;
            }

            return (rows, bytes);
        }
    }

    [Fact]
    public async Task Whatever_objects_are_read_ahead_each_row_comes_once_and_a_reader_may_stop()
    {
        ArchiveReader reader = archived.Server.Services.GetRequiredService<ArchiveReader>();
        CancellationToken cancel = TestContext.Current.CancellationToken;
        int hour = (int)(ArchivedServer.Noon.ToUnixTimeSeconds() / 3600);
        var listed = new List<ListedObject>();
        foreach (ArchiveProgress chain in await reader.ChainsAsync(cancel))
        {
            listed.AddRange(await reader.ObjectsAsync(chain.Chain, hour, hour + 3, cancel));
        }

        ListedObject[] often = [.. Enumerable.Repeat(listed, 10).SelectMany(one => one).Select((one, n) => n % 3 == 0 ? one with { Object = one.Object with { Footer = null } } : one)];
        var rows = new ClickRows();
        var offsets = new List<(int, long)>();
        await foreach (ReadRows read in reader.ReadAsync(often, rows, ClickColumns.Offset, null, cancel))
        {
            offsets.AddRange(rows.Offsets.Take(read.Count).Select(offset => (read.Object.Chain, offset)));
        }

        Assert.All(offsets.CountBy(offset => offset), each => Assert.Equal(10, each.Value));
        Assert.Equal(302, offsets.Distinct().Count());
        await foreach (ReadRows _ in reader.ReadAsync(often, rows, ClickColumns.Offset, null, cancel))
        {
            break;
        }
    }

    private static JsonElement[] Lines(Answer answer) => [.. answer.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private static string? Text(JsonElement line, string name) => line.GetProperty(name).GetString();
}
