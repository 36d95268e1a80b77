using System.Net.Http.Headers;
using System.Text;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>Keys as an operator handles them: commands and APIs are processes, each with a directory of its own.</summary>
public class ClusterKeyTests(KafkaServer kafka, CassandraServer cassandra)
{
    [Fact]
    public async Task A_key_that_a_command_makes_or_ends_reaches_every_API_and_one_that_starts_without_Cassandra_knows_it()
    {
        await cassandra.ContactPointsAsync();
        await using var proxy = new TcpProxy(cassandra.Port);
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, proxy);
        using var other = new DataFolder();
        using var commands = new DataFolder();
        string shop = await MakeAsync("shop");
        await using (ApiProcess one = await cluster.StartApiAsync(), two = await ApiProcess.StartAsync(other.Path, cluster.Settings))
        {
            string late = await MakeAsync("late");
            foreach (ApiProcess api in (ApiProcess[])[one, two])
            {
                await AnswersAsync(api, shop, 202);
                await AnswersAsync(api, late, 202);
                await AnswersAsync(api, null, 401);
            }

            Assert.Equal(0, (await ApiProcess.RunAsync(["keys", "revoke", "late", "--data", commands.Path, .. cluster.Settings])).ExitCode);
            await AnswersAsync(one, late, 401);
            await AnswersAsync(two, late, 401);
            await proxy.CutAsync();
            await AnswersAsync(one, shop, 202);
            one.Kill();
        }

        await using ApiProcess again = await cluster.StartApiAsync();
        Assert.Contains("Keys stay as they were read last", again.Output, StringComparison.Ordinal);
        await AnswersAsync(again, shop, 202);
        await AnswersAsync(again, null, 401);
        proxy.Mend();

        async Task<string> MakeAsync(string name)
        {
            (int code, string output) = await ApiProcess.RunAsync(
                ["keys", "add", "--name", name, "--scopes", "ingest", "--data", commands.Path, .. cluster.Settings]);
            Assert.True(code == 0, output);
            return output.Split('\n').Select(line => line.Trim()).Single(line => line.StartsWith("sk_", StringComparison.Ordinal));
        }
    }

    private static Task AnswersAsync(ApiProcess api, string? key, int status) => Eventually.Async(
        $"{status} for {key ?? "nobody"}",
        async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/clicks")
            {
                Content = new StringContent("""{"ad_id":"a-42"}""", Encoding.UTF8, "application/json"),
            };
            request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
            using HttpResponseMessage answer = await api.Http.SendAsync(request);
            return (int)answer.StatusCode == status;
        },
        TimeSpan.FromSeconds(30));
}
