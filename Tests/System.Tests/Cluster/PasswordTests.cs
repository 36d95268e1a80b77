using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>
/// A node that asks for passwords. It cannot run beside another one of the same script, so this is run by name, where none runs:
/// <c>dotnet run --project Tests/System.Tests -- -explicit only -class '*.PasswordTests'</c>.
/// </summary>
public class PasswordTests
{
    [Fact(Explicit = true)]
    public async Task With_its_password_all_is_counted_and_with_another_one_programs_say_so_and_never_print_it()
    {
        await using ServerScript? script = ServerScript.New();
        Assert.SkipWhen(script is null, "needs a node with passwords: the servers script");
        await script.StartKafkaAsync();
        await script.StartCassandraAsync(authenticate: true);
        await using var cluster = ClusterPrograms.New(script, nodes: 1);
        const string Wrong = "not-the-password";
        string[] right = ["--Cassandra:Username=cassandra", "--Cassandra:Password=cassandra"];
        string[] wrong = ["--Cassandra:Username=cassandra", $"--Cassandra:Password={Wrong}"];

        await cluster.StartSilosAsync(1, right);
        foreach (string[] refused in (string[][])[wrong, []])
        {
            (int code, string output) = await SiloProcess.RunAsync([.. cluster.Settings, .. refused]);
            Assert.Equal(2, code);
            Assert.Contains("Cassandra:", output, StringComparison.Ordinal);
            Assert.Contains(refused.Length > 0 ? "cassandra" : "PasswordAuthenticator", output, StringComparison.Ordinal);
            Assert.DoesNotContain(Wrong, output, StringComparison.Ordinal);
        }

        string[] lines = [.. RealClicks.Lines.Take(2_000)];
        await using ApiProcess api = await cluster.StartApiAsync(right);
        await RealClicksTests.SendAsync(api.Http, lines);
        await Answers.AgreeAsync(api.Http, Recount.Of(lines));
        Assert.DoesNotContain("--Cassandra:Password", api.Output + cluster.Silos[0].Output, StringComparison.Ordinal);
    }
}
