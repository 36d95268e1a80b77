using System.Text.RegularExpressions;

namespace ClickAggregator.Deploy.Tests;

public class ComposeTests
{
    private static readonly Compose s_compose = new();

    // Docker refuses what it does not know; here only what is used is known.
    private static readonly string[] s_known =
        ["image", "build", "environment", "volumes", "ports", "healthcheck", "deploy", "restart", "logging", "read_only", "tmpfs", "cap_drop",
            "security_opt", "stop_grace_period", "depends_on", "profiles", "command"];

    public static TheoryData<string> Names => [.. s_compose.Services.Keys];

    [Fact]
    public void It_is_Kafka_Cassandra_two_silos_and_the_API() =>
        Assert.Equal(["api", "cassandra", "kafka", "s3", "silo-1", "silo-2"], s_compose.Services.Keys.Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void A_service_has_a_version_bounds_and_no_unknown_name(string name)
    {
        Dictionary<object, object> service = s_compose.Services[name];
        Assert.Empty(service.Keys.Cast<string>().Except(s_known));
        Assert.Matches(@":v?\d+\.\d+\.\d+$", (string)service["image"]);
        Dictionary<object, object> limits = Compose.Map(Compose.Map(Compose.Map(service["deploy"])["resources"])["limits"]);
        Assert.Equal(["cpus", "memory"], limits.Keys.Cast<string>().Order());
        Assert.Equal("unless-stopped", service["restart"]);
    }

    [Theory]
    [InlineData("kafka")]
    [InlineData("cassandra")]
    public void What_the_programs_wait_for_says_when_it_is_ready(string name) =>
        Assert.Equal(["interval", "retries", "start_period", "test", "timeout"], Compose.Map(s_compose.Services[name]["healthcheck"]).Keys.Cast<string>().Order());

    [Theory]
    [InlineData("silo-1")]
    [InlineData("silo-2")]
    [InlineData("api")]
    public void A_program_has_no_rights_and_time_to_stop(string name)
    {
        Dictionary<object, object> service = s_compose.Services[name];
        Assert.Equal("true", service["read_only"]);
        Assert.Equal(["ALL"], Compose.List(service, "cap_drop"));
        Assert.Equal(["no-new-privileges:true"], Compose.List(service, "security_opt"));
        Assert.True(Seconds((string)service["stop_grace_period"]) > Seconds(s_compose.Environment(name)["Shutdown__Timeout"]));
        Assert.Contains($" AS {Compose.Map(service["build"])["target"]}\n", Repository.Read("deploy/docker/Dockerfile"), StringComparison.Ordinal);
        Assert.All(Compose.Map(service["depends_on"]).Keys, other => Assert.Contains((string)other, s_compose.Services.Keys));
    }

    [Fact]
    public void Volumes_are_named() => Assert.Equal(
        s_compose.Volumes.Order(), s_compose.Services.Values.SelectMany(service => Compose.List(service, "volumes")).Select(volume => volume.Split(':')[0]).Distinct().Order());

    [Fact]
    public void Only_the_API_is_published_and_only_here() =>
        Assert.Equal(["127.0.0.1:5080:5080"], s_compose.Services.Values.SelectMany(service => Compose.List(service, "ports")));

    [Fact]
    public void What_nothing_uses_is_not_started() => Assert.Equal(["s3"], Compose.List(s_compose.Services["s3"], "profiles"));

    [Fact]
    public void The_only_Cassandra_acknowledges_what_is_on_the_disk()
    {
        string[] command = [.. Compose.List(s_compose.Services["cassandra"], "command")];
        Assert.Equal(["bash", "-c"], command[..2]);
        string edited = "commitlog_sync: periodic\ncommitlog_sync_period: 10000ms\nother: 1\n";
        foreach (Match each in Regex.Matches(command[2], "-e '(?:s/([^/]+)/([^/]+)/|/([^/]+)/d)'"))
        {
            edited = each.Groups[3].Success
                ? Regex.Replace(edited, each.Groups[3].Value + ".*\n", "", RegexOptions.Multiline)
                : Regex.Replace(edited, each.Groups[1].Value, each.Groups[2].Value, RegexOptions.Multiline);
        }

        // In this mode Cassandra refuses to start with a period beside it.
        Assert.Equal("commitlog_sync: batch\nother: 1\n", edited);
        Assert.EndsWith("exec docker-entrypoint.sh cassandra -f", command[2], StringComparison.Ordinal);
    }

    [Fact]
    public void The_programs_take_their_settings()
    {
        Assert.Empty(Faults.OfSilo(s_compose.Environment("silo-1")));
        Assert.Empty(Faults.OfSilo(s_compose.Environment("silo-2")));
        Assert.Empty(Faults.OfApi(s_compose.Environment("api")));
        Assert.Empty(Faults.UnknownToBoth(s_compose.Environment("api")));
        Assert.Equal("kafka:9092", s_compose.Environment("api")["Kafka__BootstrapServers"]);
        Assert.Contains("PLAINTEXT://kafka:9092", s_compose.Environment("kafka")["KAFKA_ADVERTISED_LISTENERS"], StringComparison.Ordinal);
        Assert.Equal(s_compose.Environment("cassandra")["CASSANDRA_DC"], s_compose.Environment("api")["Cassandra__LocalDatacenter"]);
    }

    private static int Seconds(string text) => int.Parse(text.TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture);
}
