using System.Net.Sockets;
using System.Text;

namespace ClickAggregator.Api.Tests.Collect;

public class SlowSenderTests
{
    private const string Head = "POST /v1/clicks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 5000\r\n\r\n";

    [Fact]
    public async Task Five_hundred_trickling_connections_do_not_keep_others_waiting()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        var sockets = new List<TcpClient>();
        try
        {
            for (int i = 0; i < 500; i++)
            {
                var client = new TcpClient();
                sockets.Add(client);
                await client.ConnectAsync(server.Address.Host, server.Address.Port, TestContext.Current.CancellationToken);
                // half of them are slow in their headers, half in their body
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(i % 2 == 0 ? Head[..40] : Head + "{"), TestContext.Current.CancellationToken);
            }

            // every one of them has a byte under way in each round of the others' requests
            for (int round = 0; round < 20; round++)
            {
                foreach (TcpClient slow in sockets)
                {
                    await slow.GetStream().WriteAsync("x"u8.ToArray(), TestContext.Current.CancellationToken);
                }

                Assert.Equal(202, (await server.PostAsync("{\"ad_id\":\"1\"}")).Status);
            }
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }

        Assert.Equal(20, server.Stored().Count);
    }

    [Fact]
    public async Task A_body_that_takes_too_long_is_408_and_keeps_nothing()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Limits:BodyTimeout=1 s");
        string answer = await server.RawAsync(Head + "{\"ad_id\":\"1\"}\n");
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body_too_slow\"", answer, StringComparison.Ordinal);
        Assert.Empty(server.Stored());
    }

    [Fact]
    public async Task A_body_below_the_least_rate_is_408_and_keeps_nothing()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Limits:BodyRate=100,000");
        string answer = await server.RawAsync(Head + "{\"ad_id\":\"1\"}\n");
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body_too_slow\"", answer, StringComparison.Ordinal);
        Assert.Empty(server.Stored());
    }

    [Fact]
    public async Task Headers_that_take_too_long_are_408()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Limits:HeaderTimeout=1 s");
        Assert.StartsWith("HTTP/1.1 408", await server.RawAsync(Head[..40]), StringComparison.Ordinal);
    }
}
