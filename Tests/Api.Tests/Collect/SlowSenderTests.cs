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
        var senders = new TcpClient[500];
        try
        {
            for (int i = 0; i < senders.Length; i++)
            {
                senders[i] = await BeginAsync(server, i);
            }

            // every one of them has a byte under way in each round of the others' requests
            for (int round = 0; round < 20; round++)
            {
                for (int i = 0; i < senders.Length; i++)
                {
                    try
                    {
                        await senders[i].GetStream().WriteAsync("x"u8.ToArray(), TestContext.Current.CancellationToken);
                    }
                    catch (IOException)
                    {
                        // It was too slow for the server's limits, as it should be where the rounds take long; the next one comes.
                        senders[i].Dispose();
                        senders[i] = await BeginAsync(server, i);
                    }
                }

                Assert.Equal(202, (await server.PostAsync("{\"ad_id\":\"1\"}")).Status);
            }
        }
        finally
        {
            Array.ForEach(senders, sender => sender?.Dispose());
        }

        Assert.Equal(20, server.Stored().Count);
    }

    // Half of them are slow in their headers, half in their body.
    private static async Task<TcpClient> BeginAsync(ApiServer server, int number)
    {
        var sender = new TcpClient();
        try
        {
            await sender.ConnectAsync(server.Address.Host, server.Address.Port, TestContext.Current.CancellationToken);
            await sender.GetStream().WriteAsync(Encoding.ASCII.GetBytes(number % 2 == 0 ? Head[..40] : Head + "{"), TestContext.Current.CancellationToken);
            return sender;
        }
        catch
        {
            sender.Dispose();
            throw;
        }
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
