using ClickAggregator.Api.Settings;
using ClickAggregator.Clicks;
using ClickAggregator.Settings;
using ClickAggregator.Shipper;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Api.Tests.Settings;

public class SettingsLoaderTests
{
    [Fact]
    public void Nothing_given_means_the_documented_defaults()
    {
        ApiSettings settings = Load([]).Settings;

        Assert.Equal(Path.GetFullPath("data"), settings.DataDirectory);
        Assert.False(settings.Demo);
        Assert.Equal("http://localhost:5080", settings.Urls);
        Assert.Empty(settings.WatchFiles);
        Assert.Equal(4, settings.ClickLog.Partitions);
        Assert.Equal(256L << 20, settings.ClickLog.SegmentBytes);
        Assert.Equal(TimeSpan.FromHours(24), settings.ClickLog.Retention);
        Assert.Equal(50L << 30, settings.ClickLog.MaxBytes);
        Assert.Equal(TimeSpan.FromMinutes(10), settings.Counting.DuplicateHorizon);
        Assert.Equal(4_000_000, settings.Counting.DuplicateMaxIds);
        Assert.Equal(TimeSpan.FromMilliseconds(500), settings.Counting.BatchInterval);
        Assert.Equal(500_000, settings.Counting.BatchMaxRecords);
        Assert.Equal(RollupSet.Default, settings.Counting.Rollups);
        Assert.Equal(TimeSpan.FromHours(48), settings.Counting.RetentionMinutes);
        Assert.Null(settings.Counting.RetentionDays);
        Assert.Equal(10_000, settings.Limits.Clicks);
        Assert.Equal(8 << 20, settings.Limits.BodyBytes);
        Assert.Equal(16 << 10, settings.Limits.LineBytes);
        Assert.Equal(10_000, settings.Limits.Points);
        Assert.Equal(TimeSpan.FromDays(400), settings.Limits.Range);
        Assert.Equal(TimeSpan.FromSeconds(30), settings.ShutdownTimeout);
        Assert.Equal(Path.GetFullPath("data/archive"), settings.Archive.Directory);
        Assert.Empty(settings.Redirect.Keys);
        Assert.Empty(settings.Redirect.AllowedHosts);
        Assert.Null(settings.Redirect.CountryHeader);
        Assert.Empty(settings.CorsOrigins);
        Assert.Empty(settings.Keys);
    }

    [Fact]
    public void The_demo_has_a_data_directory_of_its_own()
    {
        Assert.Equal(Path.GetFullPath("data-demo"), Load(["--demo"]).Settings.DataDirectory);
        Assert.Equal(Path.GetFullPath("mine"), Load(["--demo", "--data", "mine"]).Settings.DataDirectory);
    }

    [Fact]
    public void A_repeated_list_switch_is_gathered()
    {
        LoadedSettings loaded = Load(["--watch", "a.log", "--watch=b*.log", "--Rollups=total", "--Rollups", "target|country"]);

        Assert.Empty(loaded.Faults);
        Assert.Equal(["a.log", "b*.log"], loaded.Settings.WatchFiles);
        Assert.Equal(["total", "target|country"], loaded.Settings.Counting.Rollups.Select(rollup => rollup.ToString()));
    }

    [Theory]
    [InlineData("59 s", "Reconciliation:SweepEvery must be a duration from 1 m to 30 d, or 0 (such as \"500 ms\", \"10 m\", \"24 h\"; a bare number is seconds), and is \"59 s\"")]
    [InlineData("24", "Reconciliation:SweepEvery must be a duration from 1 m to 30 d, or 0 (such as \"500 ms\", \"10 m\", \"24 h\"; a bare number is seconds), and is \"24\"")]
    [InlineData("1 m", null)]
    [InlineData("0", null)]
    public void All_of_the_store_is_looked_through_once_a_minute_at_most_or_never(string given, string? fault) =>
        Assert.Equal(fault is null ? [] : [fault], Load(["--Reconciliation:SweepEvery=" + given]).Faults);

    [Fact]
    public void All_faults_are_reported_at_once_with_name_and_rule()
    {
        IReadOnlyList<string> faults = Load([
            "--ClickLog:Partitions=0", "--ClickLog:SegmentBytes=1 KiB", "--Batch:Interval=never", "--Rollups=targets",
            "--Retention:Days=90", "--Limits:Clicks=many", "--Redirect:Keys=short", "--Redirect:AllowedHosts=https://a.example/",
            "--Cors:Origins=shop.example", "--Ingest:AcknowledgeAfter=tape"]).Faults;

        Assert.Equal(
            [
                "ClickLog:Partitions must be a whole number from 1 to 256, and is \"0\"",
                "ClickLog:SegmentBytes must be a size from 1 MiB to 1 GiB (such as \"256 MiB\"; a bare number is bytes), and is \"1 KiB\"",
                "Ingest:AcknowledgeAfter must be one of: disk, kafka, and is \"tape\"",
                "Batch:Interval must be a duration from 10 ms to 1 m (such as \"500 ms\", \"10 m\", \"24 h\"; a bare number is seconds), and is \"never\"",
                "Rollups has 'targets'; a rollup is total, kind, target or campaign, optionally followed by |country, |device or |country|device",
                "Retention:Days must be a duration from 24 h to 36500 d, or \"for ever\" (such as \"500 ms\", \"10 m\", \"24 h\"; a bare number is seconds), and is \"90\"",
                "Limits:Clicks must be a whole number from 1 to 1,000,000, and is \"many\"",
                "Redirect:Keys must be secrets of at least 16 characters, and entry 0 is shorter",
                "Redirect:AllowedHosts must be exact host names without scheme, port or wildcard, and has \"https://a.example/\"",
                "Cors:Origins must be origins, scheme and host without a path, such as https://shop.example, and has \"shop.example\"",
            ],
            faults);
    }

    [Theory]
    [InlineData("--ClickLog:SegmentBites=1", "--ClickLog:SegmentBites is not a setting (did you mean --ClickLog:SegmentBytes?); --help lists them")]
    [InlineData("--dmeo", "--dmeo is not a setting (did you mean --demo?); --help lists them")]
    [InlineData("--whatever=1", "--whatever is not a setting; --help lists them")]
    [InlineData("--Kafka:BootstrapServer=k:9092", "--Kafka:BootstrapServer is not a setting (did you mean --Kafka:BootstrapServers?); --help lists them")]
    [InlineData("--Kafka:Topic=t", "Kafka:BootstrapServers must name the brokers where another setting of Kafka is given")]
    [InlineData("--Ingest:AcknowledgeAfter=kafka", "Kafka:BootstrapServers must name the brokers where another setting of Kafka is given")]
    [InlineData("--Keys:0=abc", "Keys:0 is not a setting; a key is Keys:NAME:Hash, Keys:NAME:Scopes and, if it is public, Keys:NAME:Origins, its name 1-64 characters of A-Z a-z 0-9 . _ -")]
    [InlineData("--data", "--data needs a value")]
    public void An_unknown_switch_is_a_fault(string arg, string fault) => Assert.Equal([fault], Load([arg]).Faults);

    [Fact]
    public void Kafkas_settings_become_the_shippers_and_the_silos()
    {
        LoadedSettings loaded = Load([
            "--Kafka:BootstrapServers=k1:9092,k2:9092", "--Kafka:Topic=t", "--ClickLog:Partitions=8", "--Kafka:Format=json",
            "--Kafka:Client:compression.type=zstd", "--Shipper:CommitInterval=50ms", "--Ingest:AcknowledgeAfter=kafka"]);

        Assert.Empty(loaded.Faults);
        KafkaLogSettings kafka = loaded.Settings.Kafka!;
        Assert.True(kafka.AcknowledgeAfterKafka);
        Assert.Equal(("k1:9092,k2:9092", "t", 8, ShipFormat.Json, TimeSpan.FromMilliseconds(50)),
            (kafka.Shipper.BootstrapServers, kafka.Shipper.Topic, kafka.Shipper.Partitions, kafka.Shipper.Format, kafka.Shipper.CommitInterval));
        Assert.Equal("zstd", kafka.Shipper.Client["compression.type"]);
        Assert.Equal(("t", 8, "t-dead-letters", "zstd"),
            (kafka.Silo.Clicks.Topic, kafka.Silo.Clicks.Partitions, kafka.Silo.DeadLetters.Topic, kafka.Silo.Clicks.Client["compression.type"]));
        Assert.Equal(("t-replay", 8, TimeSpan.FromHours(1)), (kafka.Silo.Replay.Topic, kafka.Silo.Replay.Partitions, kafka.Silo.Replay.Retention));
        Assert.Equal(TimeSpan.FromDays(7), kafka.Silo.Clicks.Retention);
        Assert.Null(Load([]).Settings.Kafka);
    }

    [Theory]
    [InlineData("t")]
    [InlineData("t-dead-letters")]
    public void Clicks_are_not_replayed_into_the_topic_that_is_counted(string topic) => Assert.Equal(
        ["Kafka:ReplayTopic must be a topic of its own: what goes through it was counted before"],
        Load(["--Kafka:BootstrapServers=k:9092", "--Kafka:Topic=t", $"--Kafka:ReplayTopic={topic}"]).Faults);

    [Fact]
    public void What_the_shipper_cannot_take_is_a_fault_of_the_setting() => Assert.Equal(
        ["Kafka:Topic must be 1-249 characters of A-Z a-z 0-9 . _ -", "Kafka:Client acks cannot be set, what is promised rests on it"],
        Load(["--Kafka:BootstrapServers=k:9092", "--Kafka:Topic=a b", "--Kafka:PositionsTopic=p", "--Kafka:Client:acks=1"]).Faults.Take(2));

    [Theory]
    [InlineData("--ClickLog:Partitions=4", "--ClickLog:SegmentBytes=1MiB", "--ClickLog:MaxBytes=5MiB", 0)]
    [InlineData("--ClickLog:Partitions=4", "--ClickLog:SegmentBytes=1MiB", "--ClickLog:MaxBytes=4MiB", 1)]
    [InlineData("--ClickLog:Partitions=256", "--ClickLog:SegmentBytes=256MiB", "--ClickLog:MaxBytes=50GiB", 1)]
    public void A_log_that_could_be_full_of_files_that_nobody_may_remove_is_refused(string partitions, string segment, string max, int faults) =>
        Assert.Equal(faults, Load([partitions, segment, max]).Faults.Count(fault => fault.StartsWith("ClickLog:MaxBytes must have room", StringComparison.Ordinal)));

    [Fact]
    public void A_single_value_given_twice_is_a_fault() =>
        Assert.Equal(["--data is given twice, and takes one value"], Load(["--data", "a", "--data", "b"]).Faults);

    [Fact]
    public void An_unknown_setting_in_a_file_is_a_fault()
    {
        IReadOnlyList<string> faults = Load([], new()
        {
            ["Batch:Intervall"] = "1 s",
            ["Reconciliation:Aftre"] = "2 h",
            ["Archive:Directorry"] = "b",
            ["Somebody:Elses"] = "x",
        }).Faults;

        Assert.Equal(
            [
                "Batch:Intervall is not a setting (did you mean Batch:Interval?); --help lists them",
                "Archive:Directorry is not a setting (did you mean Archive:Directory?); --help lists them",
                "Reconciliation:Aftre is not a setting (did you mean Reconciliation:After?); --help lists them",
            ],
            faults);
    }

    [Theory]
    [InlineData("http://0.0.0.0:5080")]
    [InlineData("http://*:5080")]
    [InlineData("http://+:80")]
    [InlineData("http://[::]:5080")]
    [InlineData("http://example.org:5080")]
    [InlineData("http://localhost:5080;http://10.0.0.5:5080")]
    [InlineData("http://localhost.example.org")]
    public void An_address_that_others_reach_is_told_from_one_that_they_do_not(string urls)
    {
        LoadedSettings loaded = Load(["--urls", urls]);
        Assert.Empty(loaded.Faults);
        Assert.Equal("urls", Assert.Single(BindRule.Exposed(loaded.Settings, new ConfigurationBuilder().Build())).Name);
    }

    [Theory]
    [InlineData("http://localhost:5080")]
    [InlineData("http://127.0.0.1:0;http://[::1]:0")]
    [InlineData("http://127.3.2.1:99")]
    [InlineData("https://localhost")]
    [InlineData("http://localhost:5080/")]
    public void Loopback_addresses_are_taken(string urls)
    {
        LoadedSettings loaded = Load(["--urls", urls]);
        Assert.Empty(loaded.Faults);
        Assert.Empty(BindRule.Exposed(loaded.Settings, new ConfigurationBuilder().Build()));
    }

    [Theory]
    [InlineData("http://localhost:0", "urls must name a port with localhost; for any free port use http://127.0.0.1:0")]
    [InlineData("localhost:5080", "urls must be addresses such as http://localhost:5080, divided by \";\", and has \"localhost:5080\"")]
    [InlineData(";", "urls must be addresses such as http://localhost:5080, divided by \";\", and has \";\"")]
    [InlineData("http://localhost:5080/clicks", "urls must be addresses without a path, and has \"http://localhost:5080/clicks\"")]
    [InlineData("http://localhost:99999", "urls must be addresses such as http://localhost:5080, divided by \";\", and has \"http://localhost:99999\"")]
    public void What_is_no_address_is_refused(string urls, string fault) => Assert.Equal([fault], Load(["--urls", urls]).Faults);

    [Fact]
    public void Kestrels_own_endpoints_are_bound_by_the_same_rule()
    {
        string fault = Assert.Single(Load([], new() { ["Kestrel:Endpoints:Http:Url"] = "*:80" }).Faults);
        Assert.StartsWith("Kestrel:Endpoints:Http:Url must be addresses such as", fault, StringComparison.Ordinal);
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Kestrel:Endpoints:Http:Url"] = "http://*:80" }).Build();
        Assert.Equal([("Kestrel:Endpoints:Http:Url", "http://*:80")], BindRule.Exposed(Load([]).Settings, configuration));
    }

    [Fact]
    public void A_secret_is_never_in_a_fault_nor_in_help()
    {
        const string Secret = "hush-hush";
        LoadedSettings loaded = Load(["--Redirect:Keys=" + Secret, "--Redirect:Kees=x"]);
        var help = new StringWriter();
        ApiHelp.Write(help, []);

        Assert.DoesNotContain(Secret, string.Join('\n', loaded.Faults), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, help.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Help_names_every_setting_with_switch_unit_default_and_range()
    {
        var output = new StringWriter();
        ApiHelp.Write(output, [("log print", "prints")]);
        string help = output.ToString();

        Assert.Contains("DataDirectory (--data)", help, StringComparison.Ordinal);
        Assert.Contains("duration; default: 10 m; allowed: 1 s to 7 d", help, StringComparison.Ordinal);
        Assert.Contains("size; default: 256 MiB; allowed: 1 MiB to 1 GiB", help, StringComparison.Ordinal);
        Assert.Contains("log print", help, StringComparison.Ordinal);
        Assert.All(ApiSettings.Table(), row => Assert.Contains(row.Name, help, StringComparison.Ordinal));
        Assert.Equal(ApiSettings.Table().Count, ApiSettings.Table().Select(row => row.Name).Distinct().Count());
    }

    [Fact]
    public void A_list_comes_whole_from_the_last_source_that_has_it()
    {
        Dictionary<string, string?> file = new()
        {
            ["Watch:Files:0"] = "file-0.log",
            ["Watch:Files:1"] = "file-1.log",
            ["Redirect:Keys:0"] = "a key of the file, long enough",
            ["Cors:Origins"] = "https://shop.example",
        };

        ApiSettings settings = Load(["--watch", "typed.log"], file).Settings;

        Assert.Equal(["typed.log"], settings.WatchFiles);
        Assert.Equal(["a key of the file, long enough"], settings.Redirect.Keys);
        Assert.Equal(["https://shop.example"], settings.CorsOrigins);
        Assert.Equal(["file-0.log", "file-1.log"], Load([], file).Settings.WatchFiles);
    }

    [Fact]
    public void More_than_ten_items_keep_their_order() => Assert.Equal(
        Enumerable.Range(0, 12).Select(n => $"{n}.log"),
        Load([], Enumerable.Range(0, 12).Reverse().ToDictionary(n => $"Watch:Files:{n}", n => (string?)$"{n}.log")).Settings.WatchFiles);

    [Fact]
    public void A_settings_file_that_cannot_be_read_is_a_fault_beside_the_others()
    {
        string folder = Directory.CreateTempSubdirectory("api-settings-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "appsettings.json"), "{ \"ClickLog\": ");
            Arguments arguments = Arguments.Parse(["--Limits:Clicks=0"], ApiSettings.Table(), Sections.Names);
            IReadOnlyList<string> faults = SettingsLoader.Load(SettingsSource.Build(arguments, Sections.Names, folder), arguments).Faults;

            Assert.Equal(2, faults.Count);
            Assert.StartsWith("appsettings.json cannot be read: ", faults[0], StringComparison.Ordinal);
            Assert.StartsWith("Limits:Clicks must be", faults[1], StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static LoadedSettings Load(string[] args, Dictionary<string, string?>? file = null)
    {
        Arguments arguments = Arguments.Parse(args, ApiSettings.Table(), Sections.Names);
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(file).AddInMemoryCollection(arguments.Values).Build();
        return SettingsLoader.Load(configuration, arguments);
    }
}
