using System.Globalization;
using System.Text.Json;
using ClickAggregator.Api.Tests.Queries;
using ClickAggregator.Grains.Archive;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Archived;

/// <summary>Where a click is.</summary>
[Collection(nameof(ArchivedServer))]
public class TraceTests(ArchivedServer archived)
{
    [Theory]
    [InlineData("")]
    [InlineData("&ad_id=a-5")]
    public async Task A_click_that_counted_is_shown_with_its_row_and_its_windows(string target)
    {
        Answer answer = await archived.Server.GetAsync($"/v1/clicks/k-25/trace?{ArchivedServer.Range}{target}");
        Assert.True(answer.Status == 200, answer.Body);
        JsonElement place = Assert.Single(Places(answer));
        Assert.Equal(("ad", "a-5"), (place.GetProperty("of").GetProperty("kind").GetString(), place.GetProperty("of").GetProperty("id").GetString()));
        Assert.True(place.GetProperty("counted").GetBoolean());
        Assert.Equal(JsonValueKind.Null, place.GetProperty("reason").ValueKind);
        Assert.Equal(ArchivedServer.Noon.AddSeconds(25 * 30), DateTimeOffset.Parse(place.GetProperty("timestamp").GetString()!, CultureInfo.InvariantCulture));
        Assert.Equal(
            ["ad:a-5", "ad:a-5|country:DE", "total"],
            place.GetProperty("windows").EnumerateArray().Select(window => window.GetProperty("series").GetString()!).Order(StringComparer.Ordinal));
        Assert.All(place.GetProperty("windows").EnumerateArray(), window => Assert.True(window.GetProperty("clicks").GetInt64() >= 1));

        // It is where the trace says.
        byte[] file = (await archived.Server.Services.GetRequiredService<IArchiveObjects>().ReadAsync(place.GetProperty("object").GetString()!, TestContext.Current.CancellationToken))!;
        var rows = new ClickRows();
        long row = place.GetProperty("row").GetInt64();
        foreach (int count in archived.Server.Services.GetRequiredService<IClickFiles>().Read(file, rows, ClickColumns.All))
        {
            if (row < count)
            {
                Assert.Equal(("k-25", place.GetProperty("offset").GetInt64()), (rows.ClickIds.Text((int)row), rows.Offsets[(int)row]));
                return;
            }

            row -= count;
        }

        Assert.Fail("the object has no such row");
    }

    [Fact]
    public async Task A_repeat_names_the_click_that_it_repeats_and_another_target_is_another_click()
    {
        JsonElement[] places = Places(await archived.Server.GetAsync($"/v1/clicks/k-7/trace?{ArchivedServer.Range}"));
        Assert.Equal(3, places.Length);
        JsonElement[] same = [.. places.Where(place => place.GetProperty("of").GetProperty("id").GetString() == "a-7")];
        Assert.Equal([true, false], same.Select(place => place.GetProperty("counted").GetBoolean()));
        Assert.Equal("duplicate", same[1].GetProperty("reason").GetString());
        Assert.Equal(same[0].GetProperty("offset").GetInt64(), same[1].GetProperty("duplicate_of").GetInt64());
        Assert.True(places.Single(place => place.GetProperty("of").GetProperty("id").GetString() == "a-8").GetProperty("counted").GetBoolean());
        Assert.Single(Places(await archived.Server.GetAsync($"/v1/clicks/k-7/trace?{ArchivedServer.Range}&ad_id=a-8")));
    }

    [Fact]
    public async Task A_click_that_never_came_has_no_place_and_the_answer_says_where_was_looked()
    {
        Answer answer = await archived.Server.GetAsync($"/v1/clicks/k-300/trace?{ArchivedServer.Range}");
        Assert.Empty(Places(answer));
        Assert.True(answer.Json.GetProperty("searched").GetProperty("objects").GetInt32() > 0);
        Assert.Equal(JsonValueKind.Null, answer.Json.GetProperty("searched").GetProperty("detail").ValueKind);
    }

    [Fact]
    public async Task What_is_not_archived_yet_is_found_in_the_log()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Archive:MaxAge=6h");
        await server.PostAsync("""[{"click_id":"w-1","ad_id":"a"},{"click_id":"w-1","ad_id":"a"},{"click_id":"w-2","ad_id":"a"}]""");
        await LoadedServer.CountedAsync(server);
        JsonElement[] places = Places(await server.GetAsync("/v1/clicks/w-1/trace"));
        Assert.Equal([true, false], places.Select(place => place.GetProperty("counted").GetBoolean()));
        Assert.All(places, place => Assert.Equal(JsonValueKind.Null, place.GetProperty("object").ValueKind));
        Assert.Equal("duplicate", places[1].GetProperty("reason").GetString());
        Assert.Equal(places[0].GetProperty("offset").GetInt64(), places[1].GetProperty("duplicate_of").GetInt64());
        Assert.Equal("2", places[0].GetProperty("windows")[0].GetProperty("clicks").GetRawText());
    }

    [Theory]
    [InlineData("/v1/clicks/a%7Cb/trace", "click_id")]
    [InlineData("/v1/clicks/k-1/trace?ad_id=", "ad_id")]
    [InlineData("/v1/clicks/k-1/trace?ad_id=a&video_id=b", "video_id")]
    [InlineData("/v1/clicks/k-1/trace?last=24", "last")]
    public async Task A_parameter_that_is_not_right_is_named(string path, string field) =>
        QueryErrorTests.Check(await archived.Server.GetAsync(path), 400, "invalid_parameter", field);

    [Fact]
    public async Task It_is_bounded()
    {
        QueryErrorTests.Check(await archived.Server.GetAsync("/v1/clicks/k-1/trace?last=3d"), 400, "range_too_large", null);
        Assert.Equal(200, (await archived.Server.GetAsync("/v1/clicks/k-1/trace?last=3d&ad_id=a-1")).Status);
        QueryErrorTests.Check(await archived.Server.GetAsync("/v1/clicks/k-1/trace?last=33d&ad_id=a-1"), 400, "range_too_large", null);
        QueryErrorTests.Check(await archived.Server.GetAsync("/v1/clicks/k-1/trace?limit=3"), 400, "unknown_parameter", null);
    }

    private static JsonElement[] Places(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Body);
        return [.. answer.Json.GetProperty("places").EnumerateArray()];
    }
}
