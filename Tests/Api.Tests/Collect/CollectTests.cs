using System.IO.Compression;
using System.Text;

namespace ClickAggregator.Api.Tests.Collect;

public class CollectTests(ClassServer shared) : IClassFixture<ClassServer>
{
    private const string Lines = "application/x-ndjson";
    private readonly long[] _before = shared.Server.Ends();

    private ApiServer Server => shared.Server;

    [Fact]
    public async Task One_click_is_stored_and_its_id_is_answered()
    {
        Answer answer = await Server.PostAsync("""{"ad_id":"a-42","click_id":"c-1","timestamp":1384729205000}""");

        Assert.Equal(202, answer.Status);
        Assert.Equal("""{"accepted":1,"rejected":0,"errors":[],"click_id":"c-1"}""", answer.Body);
        Assert.Equal("application/json", answer.Message.Content.Headers.ContentType!.MediaType);
        Assert.True(answer.Message.Headers.CacheControl!.NoStore);
        StoredClick click = Assert.Single(Stored());
        Assert.Equal(("ad", "a-42", "c-1", 1384729205000L), (click.Kind, click.Id, click.ClickId, click.Timestamp));
    }

    [Fact]
    public async Task What_a_click_lacks_is_assigned()
    {
        long before = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

        Answer answer = await Server.PostAsync("""{"video_id":"v"}""");

        StoredClick click = Assert.Single(Stored());
        Assert.Equal(answer.Json.GetProperty("click_id").GetString(), click.ClickId);
        Assert.Equal(26, click.ClickId.Length);
        Assert.InRange(click.Timestamp, before, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        Assert.Equal(click.Timestamp, click.ReceivedAt);
    }

    [Fact]
    public async Task Lines_and_arrays_are_stored_and_bad_ones_reject_themselves()
    {
        const string Body = "{\"ad_id\":\"1\"}\r\n\n  \t\r\n{\"ad_id\":\"../x\"}\n{oops}\n{\"ad_id\":\"2\"}\n[]\n{\"post_id\":\"3\"}";

        Answer lines = await Server.PostAsync(Body, Lines);
        Answer array = await Server.PostAsync("""  [ {"ad_id":"4"} , 5, {"ad_id":"6"}, {"x":1}, null ]  """);

        Assert.Equal(202, lines.Status);
        Assert.Equal((3, 3), (lines.Accepted, lines.Rejected));
        Assert.Equal([(1, "id_invalid"), (2, "malformed_json"), (4, "not_an_object")], lines.Errors);
        Assert.Equal((2, 3), (array.Accepted, array.Rejected));
        Assert.Equal([(1, "not_an_object"), (3, "target_missing"), (4, "not_an_object")], array.Errors);
        Assert.False(array.Json.TryGetProperty("click_id", out _));
        Assert.Equal(["1", "2", "3", "4", "6"], Stored().Select(click => click.Id).Order());
    }

    [Fact]
    public async Task A_list_shows_its_first_hundred_errors()
    {
        string body = string.Concat(Enumerable.Repeat("{}\n", 250)) + "{\"ad_id\":\"1\"}";

        Answer answer = await Server.PostAsync(body, Lines);

        Assert.Equal((1, 250), (answer.Accepted, answer.Rejected));
        Assert.Equal(Enumerable.Range(0, 100), answer.Errors.Select(error => error.Index));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON; charset=UTF-8")]
    [InlineData("application/json;charset=\"utf-8\"")]
    public async Task The_media_type_may_be_written_in_its_several_ways(string type)
    {
        Assert.Equal(202, (await Server.PostAsync("\uFEFF {\"ad_id\":\"1\"}\n", type)).Status);
    }

    [Theory]
    [InlineData("application/json", "[{\"ad_id\":\"1\"},{\"ad_id\":\"2\"}]")]
    [InlineData("application/x-ndjson", "{\"ad_id\":\"1\"}\n{\"ad_id\":\"2\"}\n")]
    public async Task Gzip_is_inflated(string type, string body)
    {
        Answer answer = await Server.PostAsync(Gzip(Encoding.UTF8.GetBytes(body)), type, ("Content-Encoding", "gzip"));

        Assert.Equal((202, 2), (answer.Status, answer.Accepted));
    }

    [Fact]
    public async Task An_idempotency_key_names_the_clicks_so_that_sending_again_gives_the_same_ids()
    {
        const string Body = "{\"ad_id\":\"1\"}\n\n{bad}\n{\"ad_id\":\"2\"}\n{\"ad_id\":\"3\",\"click_id\":\"own\"}";

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(202, (await Server.PostAsync(Body, Lines, ("Idempotency-Key", "k.1"))).Status);
        }

        Answer single = await Server.PostAsync("{\"ad_id\":\"4\"}", "application/json", ("Idempotency-Key", "k.2"));
        Assert.Equal("k.2-0", single.Json.GetProperty("click_id").GetString());
        string[] ids = [.. Stored().Select(click => click.ClickId).Order(StringComparer.Ordinal)];
        Assert.Equal(["k.1-0", "k.1-0", "k.1-2", "k.1-2", "k.2-0", "own", "own"], ids);
    }

    [Fact]
    public async Task A_chunked_body_of_the_full_size_is_taken()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Limits:BodyBytes=64 KiB");
        string click = "{\"ad_id\":\"1\"}";
        string body = click + new string(' ', (64 << 10) - click.Length);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/clicks")
        {
            Content = new StreamContent(new Unseekable(Encoding.UTF8.GetBytes(body))),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", Lines);
        request.Headers.TransferEncodingChunked = true;

        Assert.Equal(202, (int)(await server.Client.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task Requests_in_parallel_lose_and_double_nothing()
    {
        const int Senders = 16;
        const int Requests = 20;
        const int Clicks = 50;

        await Parallel.ForAsync(0, Senders, async (sender, _) =>
        {
            for (int r = 0; r < Requests; r++)
            {
                string body = string.Concat(Enumerable.Range(0, Clicks).Select(i => $"{{\"ad_id\":\"a{i}\",\"click_id\":\"{sender}-{r}-{i}\"}}\n"));
                Assert.Equal(Clicks, (await Server.PostAsync(body, Lines)).Accepted);
            }
        });

        string[] stored = [.. Stored().Select(click => click.ClickId)];
        Assert.Equal(Senders * Requests * Clicks, stored.Length);
        Assert.Equal(stored.Length, stored.Distinct().Count());
    }

    private List<StoredClick> Stored() => Server.Stored(_before);

    private static byte[] Gzip(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return output.ToArray();
    }

    // StreamContent of a seekable stream would send a length.
    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
