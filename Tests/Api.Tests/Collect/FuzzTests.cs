using System.Text;

namespace ClickAggregator.Api.Tests.Collect;

public class FuzzTests
{
    private static readonly string[] Seeds =
    [
        "{\"ad_id\":\"a-1\",\"click_id\":\"c\",\"timestamp\":1384729205000,\"country\":\"us\",\"device\":\"mobile\"}\n{\"post_id\":\"2\"}\n",
        "[{\"ad_id\":\"1\"},{\"video_id\":\"\\u0041\",\"referrer\":\"http://x.example/\"},{\"page_url\":\"http://y.example/a?b#c\"}]",
        "{\"app_id\":\"x\",\"user_id\":null,\"extra\":{\"deep\":[1,2,{\"a\":true}]}}",
    ];

    [Fact]
    public async Task No_body_makes_the_server_fail_and_what_is_accepted_is_what_is_stored()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        var random = new Random(20261123);
        int accepted = 0;
        for (int i = 0; i < 1_500; i++)
        {
            byte[] body = Mutate(Encoding.UTF8.GetBytes(Seeds[random.Next(Seeds.Length)]), random);
            Answer answer = await server.PostAsync(body, random.Next(2) == 0 ? "application/json" : "application/x-ndjson");
            Assert.True(answer.Status is 202 or 400 or 422, $"seed 20261123, body {i} ({Convert.ToHexString(body)}): {answer.Status} {answer.Body}");
            accepted += answer.Status == 202 ? answer.Accepted : 0;
        }

        Assert.True(accepted > 100, "the fuzz never gets past the parser");
        Assert.Equal(accepted, server.Stored().Count);
    }

    private static byte[] Mutate(byte[] body, Random random)
    {
        var bytes = new List<byte>(body);
        for (int n = random.Next(4); n > 0 && bytes.Count > 0; n--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.Insert(at, "{}[]\",:\\\n\0"u8[random.Next(10)]);
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes.AddRange(bytes.GetRange(at, Math.Min(20, bytes.Count - at)));
                    break;
            }
        }

        return [.. bytes];
    }
}
