using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ClickAggregator.Api.Tests.Collect;

/// <summary>Every row of the error table that a post of clicks can meet; each leaves the log as it was.</summary>
public class CollectErrorTests(ClassServer shared) : IClassFixture<ClassServer>
{
    private const string Json = "application/json";
    private const string Lines = "application/x-ndjson";
    private readonly long[] _before = shared.Server.Ends();

    private ApiServer Server => shared.Server;

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("{")]
    [InlineData("{\"ad_id\":\"1\"")]
    [InlineData("{\"ad_id\":\"1\"}{\"ad_id\":\"2\"}")]
    [InlineData("{\"ad_id\":\"1\"}]")]
    [InlineData("{'ad_id':'1'}")]
    [InlineData("[")]
    [InlineData("[{\"ad_id\":\"1\"}")]
    [InlineData("[{\"ad_id\":\"1\"},]")]
    [InlineData("[{\"ad_id\":\"1\"},{\"ad_id\":}]")]
    [InlineData("[{\"ad_id\":\"1\"}] {\"ad_id\":\"2\"}")]
    [InlineData("[{\"ad_id\":\"1\"} {\"ad_id\":\"2\"}]")]
    [InlineData("[{\"ad_id\":\"1\"},{\"ad_id\":\"2\"]]")]
    [InlineData("[/*x*/{\"ad_id\":\"1\"}]")]
    public async Task Malformed_json_is_400_and_keeps_nothing(string body)
    {
        AssertRefused(await Server.PostAsync(body), 400, "malformed_json");
    }

    [Fact]
    public async Task Lines_under_the_type_of_one_object_get_the_hint()
    {
        Answer answer = await Server.PostAsync("{\"ad_id\":\"1\"}\n{\"ad_id\":\"2\"}\n");
        AssertRefused(answer, 400, "malformed_json");
        Assert.Contains("application/x-ndjson", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deep_array_is_refused_in_little_memory()
    {
        AssertRefused(await Server.PostAsync(new string('[', 1 << 20)), 400, "malformed_json");
        AssertRefused(await Server.PostAsync($"{{\"ad_id\":\"1\",\"a\":{new string('[', 5_000)}{new string(']', 5_000)}}}"), 422, "too_deep");
    }

    [Theory]
    [InlineData(17)]
    [InlineData(70)]
    [InlineData(5_000)]
    public async Task An_item_that_nests_too_deep_rejects_itself_alone(int depth)
    {
        string deep = $"{{\"ad_id\":\"deep\",\"a\":{new string('[', depth - 1)}{new string(']', depth - 1)}}}";

        Answer answer = await Server.PostAsync($"[{{\"ad_id\":\"1\"}},{deep},{{\"ad_id\":\"2\"}}]");

        Assert.Equal((202, 2, 1), (answer.Status, answer.Accepted, answer.Rejected));
        Assert.Equal([(1, "too_deep")], answer.Errors);
        Assert.Equal(["1", "2"], Stored().Select(click => click.Id).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("")]
    public async Task The_right_command_is_said_also_to_a_page_of_another_origin(string type)
    {
        Answer answer = await Server.PostAsync("{\"ad_id\":\"1\"}", type, ("Origin", "https://shop.example"));
        AssertRefused(answer, 415, "unsupported_media_type");
        Assert.Contains($"curl -X POST {Server.Address}v1/clicks -H", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not gzip at all")]
    [InlineData("")]
    public async Task What_is_not_gzip_is_malformed_gzip(string body)
    {
        AssertRefused(await Server.PostAsync(body, Json, ("Content-Encoding", "gzip")), 400, "malformed_gzip");
    }

    [Theory]
    [InlineData(10, "{\"ad_id\":\"x\"}\n{\"ad_id\":\"y\"}\n")]
    [InlineData(10, "\0")]
    [InlineData(20_000, "{\"ad_id\":\"x\"}\n")]
    public async Task Bytes_behind_the_gzip_are_never_dropped_in_silence(int clicks, string behind)
    {
        byte[] gzip = Gzip(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, clicks).Select(i => $"{{\"ad_id\":\"a{i % 7}\"}}\n"))));
        Answer answer = await Server.PostAsync([.. gzip, .. Encoding.UTF8.GetBytes(behind)], Lines, ("Content-Encoding", "gzip"));
        AssertRefused(answer, 400, "malformed_gzip");
        Assert.Equal(202, (await Server.PostAsync([.. Gzip("{\"ad_id\":\"x\"}\n"u8.ToArray()), .. Gzip("{\"ad_id\":\"y\"}\n"u8.ToArray())], Lines, ("Content-Encoding", "gzip"))).Status);
    }

    [Fact]
    public async Task Gzip_that_is_cut_off_or_flipped_is_malformed_gzip()
    {
        byte[] whole = Gzip(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 500).Select(i => $"{{\"ad_id\":\"a{i}\"}}\n"))));
        AssertRefused(await Server.PostAsync(whole[..^5], Lines, ("Content-Encoding", "gzip")), 400, "malformed_gzip");
        AssertRefused(await Server.PostAsync(whole[..(whole.Length / 2)], Lines, ("Content-Encoding", "gzip")), 400, "malformed_gzip");
        byte[] flipped = [.. whole];
        flipped[^6] ^= 0x10; // in the checksum
        AssertRefused(await Server.PostAsync(flipped, Lines, ("Content-Encoding", "gzip")), 400, "malformed_gzip");
    }

    [Fact]
    public async Task A_gzip_bomb_stops_at_the_limit()
    {
        byte[] bomb = Gzip(new byte[256 << 20]);
        Assert.InRange(bomb.Length, 1, 8 << 20);
        long before = GC.GetTotalAllocatedBytes();

        Answer answer = await Server.PostAsync(bomb, Lines, ("Content-Encoding", "gzip"));

        AssertRefused(answer, 413, "body_too_large");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 200 << 20); // and what other tests took meanwhile
    }

    [Fact]
    public async Task A_body_of_100_MB_is_refused_before_it_is_read()
    {
        string answer = await Server.RawAsync(
            $"POST /v1/clicks HTTP/1.1\r\nHost: localhost\r\nContent-Type: {Lines}\r\nContent-Length: 100000000\r\nExpect: 100-continue\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body_too_large\"", answer, StringComparison.Ordinal);
        Assert.Empty(Stored());
    }

    [Fact]
    public async Task A_100_MB_body_without_a_length_stops_at_the_limit()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Server.Address.Host, Server.Address.Port, TestContext.Current.CancellationToken);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/clicks HTTP/1.1\r\nHost: localhost\r\nContent-Type: {Lines}\r\nTransfer-Encoding: chunked\r\n\r\n"), TestContext.Current.CancellationToken);
        byte[] chunk = [.. "10000\r\n"u8, .. Enumerable.Repeat((byte)' ', 0x10000), .. "\r\n"u8];
        Task<string> reading = new StreamReader(stream).ReadToEndAsync(TestContext.Current.CancellationToken);
        int sent = 0;
        try
        {
            for (; sent < 100_000_000 && !reading.IsCompleted; sent += 0x10000)
            {
                await stream.WriteAsync(chunk, TestContext.Current.CancellationToken);
            }
        }
        catch (IOException)
        {
            // the server hung up: that is the point
        }

        Assert.True(sent < 50_000_000, $"{sent} bytes were taken");
        string answer = await reading.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Contains("body_too_large", answer, StringComparison.Ordinal);
        Assert.Empty(Stored());
    }

    [Fact]
    public async Task Too_many_clicks_are_413_in_every_form()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Limits:Clicks=3");
        const string Click = "{\"ad_id\":\"1\"}";
        Assert.Equal(202, (await server.PostAsync(string.Join('\n', Enumerable.Repeat(Click, 3)) + "\n\n\n", Lines)).Status);
        int stored = server.Stored().Count;
        Answer lines = await server.PostAsync(string.Join('\n', Enumerable.Repeat(Click, 4)), Lines);
        Answer array = await server.PostAsync("[" + string.Join(',', Enumerable.Repeat(Click, 4)) + "]");
        Answer bad = await server.PostAsync("x\nx\nx\nx\n", Lines);
        Assert.Equal([(413, "too_many_clicks"), (413, "too_many_clicks"), (413, "too_many_clicks")],
            new[] { lines, array, bad }.Select(answer => (answer.Status, answer.Code!)));
        Assert.Equal(stored, server.Stored().Count);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("text/plain", null)]
    [InlineData("application/x-www-form-urlencoded", null)]
    [InlineData("application/json; charset=utf-16", null)]
    [InlineData("multipart/form-data; boundary=x", null)]
    [InlineData("application/json", "br")]
    [InlineData("application/json", "gzip, gzip")]
    public async Task Another_media_type_is_415_with_the_right_command(string type, string? encoding)
    {
        Answer answer = await Server.PostAsync("{\"ad_id\":\"1\"}", type, encoding is null ? [] : [("Content-Encoding", encoding)]);
        AssertRefused(answer, 415, "unsupported_media_type");
        Assert.Contains($"curl -X POST {Server.Address}v1/clicks -H \"Content-Type: application/json\" -d '{{\"ad_id\":\"a-42\"}}'",
            answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a,b")]
    public async Task A_bad_idempotency_key_is_400(string key)
    {
        AssertRefused(await Server.PostAsync("{\"ad_id\":\"1\"}", Json, ("Idempotency-Key", key)), 400, "invalid_parameter");
        AssertRefused(
            await Server.PostAsync("{\"ad_id\":\"1\"}", Json, ("Idempotency-Key", new string('k', 101))), 400, "invalid_parameter");
        Assert.Equal(202, (await Server.PostAsync("{\"ad_id\":\"1\"}", Json, ("Idempotency-Key", new string('k', 100)))).Status);
    }

    [Fact]
    public async Task A_query_parameter_is_unknown()
    {
        using var content = new StringContent("{\"ad_id\":\"1\"}", Encoding.UTF8, Json);
        AssertRefused(await Answer.ReadAsync(await Server.Client.PostAsync("/v1/clicks?dry=1", content, TestContext.Current.CancellationToken)), 400, "unknown_parameter");
    }

    [Theory]
    [InlineData("{}", "target_missing")]
    [InlineData("5", "not_an_object")]
    [InlineData("null", "not_an_object")]
    [InlineData("\"x\"", "not_an_object")]
    [InlineData("{\"ad_id\":\"1\",\"post_id\":\"1\"}", "target_ambiguous")]
    [InlineData("{\"ad_id\":5}", "id_invalid", "field_invalid")]
    [InlineData("{\"ad_id\":\"1\",\"ad_id\":\"1\"}", "duplicate_field")]
    [InlineData("{\"ad_id\":\"../x\"}", "id_invalid")]
    [InlineData("{\"ad_id\":\"..\"}", "id_invalid")]
    [InlineData("{\"ad_id\":\"%2e%2e\"}", "id_invalid")]
    [InlineData("{\"ad_id\":\"';--\"}", "id_invalid")]
    [InlineData("{\"ad_id\":\"a\\u0000b\"}", "id_invalid")]
    [InlineData("{\"ad_id\":\"a\\u202eb\"}", "id_invalid")]
    [InlineData("{\"ad_id\":\"a\\r\\nb\"}", "id_invalid")]
    [InlineData("{\"ad_id\":\"1\",\"timestamp\":0}", "timestamp_in_seconds")]
    [InlineData("{\"ad_id\":\"1\",\"timestamp\":-1}", "timestamp_too_old", "timestamp_invalid")]
    [InlineData("{\"ad_id\":\"1\",\"timestamp\":1384729205}", "timestamp_in_seconds")]
    [InlineData("{\"ad_id\":\"1\",\"timestamp\":\"9999-12-31T23:59:59Z\"}", "timestamp_in_future")]
    [InlineData("{\"ad_id\":\"1\",\"timestamp\":\"2013-01-01T00:00:00\"}", "timestamp_invalid")]
    [InlineData("{\"ad_id\":\"1\",\"timestamp\":\"1999-12-31T23:59:59Z\"}", "timestamp_too_old")]
    [InlineData("{\"ad_id\":\"1\",\"country\":\"USA\"}", "field_invalid")]
    public async Task A_click_that_is_not_valid_is_422(string click, params string[] codes)
    {
        Answer single = await Server.PostAsync(click);
        AssertRefused(single, 422, codes);
        Assert.Equal(0, Assert.Single(single.Errors).Index);
        AssertRefused(await Server.PostAsync(click + "\n", Lines), 422, codes);
        AssertRefused(await Server.PostAsync($"[{click}]"), 422, codes);
    }

    [Fact]
    public async Task Ids_of_129_characters_and_invalid_utf8_are_refused()
    {
        AssertRefused(await Server.PostAsync($"{{\"ad_id\":\"{new string('a', 129)}\"}}"), 422, "id_invalid");
        byte[] invalid = [.. "{\"ad_id\":\""u8, 0xC3, 0x28, .. "\"}\n"u8];
        AssertRefused(await Server.PostAsync(invalid, Lines), 422, "malformed_json", "id_invalid");
        Assert.Equal(202, (await Server.PostAsync($"{{\"ad_id\":\"{new string('a', 128)}\"}}")).Status);
    }

    [Fact]
    public async Task A_line_beyond_its_limit_is_too_long_and_the_others_are_taken()
    {
        string fits = "{\"ad_id\":\"1\",\"x\":\"" + new string('x', (16 << 10) - 20) + "\"}";
        Assert.Equal(16 << 10, fits.Length);
        Answer answer = await Server.PostAsync($"{fits}\n{fits[..^2]}x\"}}\n{{\"ad_id\":\"2\"}}", Lines);
        Assert.Equal((2, 1), (answer.Accepted, answer.Rejected));
        Assert.Equal([(1, "line_too_long")], answer.Errors);
    }

    [Theory]
    [InlineData("[]", Json)]
    [InlineData("\n \n", Lines)]
    [InlineData("", Lines)]
    public async Task Nothing_at_all_is_422(string body, string type)
    {
        AssertRefused(await Server.PostAsync(body, type), 422, "malformed_json");
    }

    [Fact]
    public async Task A_body_cut_in_the_middle_keeps_nothing()
    {
        const string Some = "{\"ad_id\":\"1\"}\n{\"ad_id\":\"2\"}\n";
        await Server.RawAsync(
            $"POST /v1/clicks HTTP/1.1\r\nHost: localhost\r\nContent-Type: {Lines}\r\nContent-Length: 1000\r\n\r\n{Some}", halfClose: true);
        await Server.RawAsync(
            $"POST /v1/clicks HTTP/1.1\r\nHost: localhost\r\nContent-Type: {Lines}\r\nTransfer-Encoding: chunked\r\n\r\n1c\r\n{Some}\r\n", halfClose: true);

        // the connection that was cut is gone; the next request still finds the log as it was, and a whole server
        Assert.Equal(202, (await Server.PostAsync("{\"ad_id\":\"3\"}")).Status);
        Assert.Equal("3", Assert.Single(Stored()).Id);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example:80")]
    public async Task A_host_of_another_site_is_421(string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live");
        request.Headers.Host = host;
        Answer answer = await Answer.ReadAsync(await Server.Client.SendAsync(request, TestContext.Current.CancellationToken));
        Assert.Equal((421, "host_not_allowed"), (answer.Status, answer.Code));
        string post = await Server.RawAsync(
            $"POST /v1/clicks HTTP/1.1\r\nHost: {host}\r\nContent-Type: {Json}\r\nContent-Length: 13\r\n\r\n{{\"ad_id\":\"1\"}}");
        Assert.StartsWith("HTTP/1.1 421", post, StringComparison.Ordinal);
        Assert.Empty(Stored());
    }

    private List<StoredClick> Stored() => Server.Stored(_before);

    private void AssertRefused(Answer answer, int status, params string[] codes)
    {
        Assert.Equal(status, answer.Status);
        Assert.Contains(answer.Code, codes);
        Assert.Equal("application/problem+json", answer.Message.Content.Headers.ContentType!.MediaType);
        Assert.True(answer.Message.Headers.CacheControl!.NoStore);
        Assert.Empty(Stored());
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return output.ToArray();
    }
}
