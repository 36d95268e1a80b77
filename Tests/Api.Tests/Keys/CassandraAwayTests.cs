using System.Net;
using System.Net.Sockets;
using ClickAggregator.Api.Commands;
using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Settings;
using ClickAggregator.Servers;
using ClickAggregator.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>Cassandra is away, at a start and later: clicks are taken with keys that were known, and nobody else is let in.</summary>
public sealed class CassandraAwayTests(CassandraServer server)
{
    private const string Click = """{"ad_id":"a-42"}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Servers_follow_a_cluster_and_start_without_it_with_what_they_remember()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        await using var proxy = new TcpProxy(server.Port);
        CassandraKeyStore store = keys.Store();
        string shop = await ClusterKeys.AddAsync(store, "shop", KeyScope.Ingest);
        await using (ApiServer one = await StartAsync(keys, "one", proxy.Port), two = await StartAsync(keys, "two", null))
        {
            Assert.Equal(202, await PostAsync(one, shop));
            Assert.Equal(202, await PostAsync(two, shop));
            string old = await ClusterKeys.AddAsync(store, "old", KeyScope.Ingest);
            await UntilAsync(one, old, 202);
            await UntilAsync(two, old, 202);
            await store.RevokeAsync("old", TimeProvider.System.GetUtcNow(), Cancel);
            await UntilAsync(one, old, 401);
            await UntilAsync(two, old, 401);

            await proxy.CutAsync();
            await one.Services.GetRequiredService<KeyRing>().RefreshAsync(Cancel);
            Assert.Equal((202, 401), (await PostAsync(one, shop), await PostAsync(one, old)));
        }

        string file = Path.Combine(keys.Folder("one"), "keys-last-read.json");
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        Assert.DoesNotContain(shop[3..], await File.ReadAllTextAsync(file, Cancel), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(keys.Folder("one"), "keys.json")));

        string late = await ClusterKeys.AddAsync(store, "late", KeyScope.Ingest);
        Assert.Empty(await CheckAsync(keys, "one", proxy.Port));
        await using ApiServer again = await StartAsync(keys, "one", proxy.Port);
        Assert.Equal((202, 401, 200), (await PostAsync(again, shop), await PostAsync(again, late), (await again.GetAsync("/health/ready")).Status));
        proxy.Mend();
        await UntilAsync(again, late, 202);
    }

    [Fact]
    public async Task Without_anything_to_remember_only_keys_of_the_settings_are_good_until_Cassandra_answers()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        await using var proxy = new TcpProxy(server.Port);
        await proxy.CutAsync();
        string stored = await ClusterKeys.AddAsync(keys.Store(), "stored", KeyScope.Ingest), given = KeySecret.Make(isPublic: false);
        var log = new RecordedLog();
        await using (ApiServer bare = await StartAsync(keys, "bare", proxy.Port, log))
        {
            Answer answer = await bare.PostAsync(Click);
            Assert.Equal((503, "keys_unavailable", "2"), (answer.Status, answer.Code, answer.Message.Headers.RetryAfter?.ToString()));
            Assert.Equal(503, await PostAsync(bare, stored));
            answer = await bare.GetAsync("/health/ready");
            Assert.Equal(503, answer.Status);
            Assert.Contains("api_keys of Cassandra", answer.Body, StringComparison.Ordinal);
            Assert.Contains(log.Lines, line => line.StartsWith("No keys are known but those of the settings", StringComparison.Ordinal));
            Assert.False(File.Exists(Path.Combine(keys.Folder("bare"), "keys-last-read.json")));
        }

        await using ApiServer one = await StartAsync(
            keys, "one", proxy.Port, null, "--Keys:given:Scopes=ingest", "--Keys:given:Hash=" + Convert.ToHexStringLower(KeySecret.Hash(given)));
        Assert.Equal((202, 503, 200), (await PostAsync(one, given), await PostAsync(one, stored), (await one.GetAsync("/health/ready")).Status));
        proxy.Mend();
        await UntilAsync(one, stored, 202);
        Assert.Equal((202, 401), (await PostAsync(one, given), await PostAsync(one, TestKeys.Unknown)));
    }

    [Fact]
    public async Task No_key_at_all_opens_a_server_on_loopback_only_when_Cassandra_has_said_so()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        await using var proxy = new TcpProxy(server.Port);
        await keys.Store().ReadAsync(Cancel); // makes the tables, for which a start may not wait long enough
        await using (ApiServer open = await StartAsync(keys, "one", proxy.Port))
        {
            Assert.Equal(202, (await open.PostAsync(Click)).Status);
        }

        await proxy.CutAsync();
        await using ApiServer again = await StartAsync(keys, "one", proxy.Port);
        Assert.Equal(503, (await again.PostAsync(Click)).Status);
        proxy.Mend();
        await again.UntilAsync("/health/ready", answer => answer.Status == 200);
        Assert.Equal(202, (await again.PostAsync(Click)).Status);
    }

    [Fact]
    public async Task An_address_that_others_reach_needs_a_key_that_is_known_and_both_reasons_are_said()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        await using var proxy = new TcpProxy(server.Port);
        await keys.Store().ReadAsync(Cancel); // makes the tables
        Assert.Contains("while there is no key, and has", Assert.Single(await CheckAsync(keys, "one", proxy.Port)), StringComparison.Ordinal);
        await proxy.CutAsync();
        string fault = Assert.Single(await CheckAsync(keys, "one", proxy.Port));
        Assert.StartsWith("urls must be a loopback address (localhost, 127.0.0.1 or [::1]) while no key is known, and has \"http://*:80\". Keys are in Cassandra, which does not say them (", fault, StringComparison.Ordinal);
        Assert.Contains($"and {Path.Combine(keys.Folder("one"), "keys-last-read.json")} remembers none that is good", fault, StringComparison.Ordinal);
        Assert.Empty(await CheckAsync(keys, "one", proxy.Port, "--Keys:a:Scopes=read", "--Keys:a:Hash=" + new string('a', 64)));
    }

    [Fact]
    public async Task A_Cassandra_that_takes_connections_and_says_nothing_holds_a_start_up_once_and_for_seconds()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(); // the system takes connections, and nobody reads them
        int port = ((IPEndPoint)silent.LocalEndpoint).Port;
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        string secret = KeySecret.Make(isPublic: false);
        new KeyMemory(keys.Folder("one")).Write([new ApiKey { Name = "a", Hash = KeySecret.Hash(secret), Scopes = KeyScope.Ingest }]);
        long start = TimeProvider.System.GetTimestamp();
        Assert.Empty(await CheckAsync(keys, "one", port));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 4);
        await using ApiServer one = await StartAsync(keys, "one", port);
        Assert.Equal(202, await PostAsync(one, secret));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 30); // of a busy machine, all of the start
    }

    [Fact]
    public async Task Commands_say_that_Cassandra_is_away_and_what_they_need()
    {
        await using ClusterKeys keys = await ClusterKeys.NewAsync(server);
        await using var proxy = new TcpProxy(server.Port);
        await proxy.CutAsync();
        foreach (string[] command in (string[][])[["add", "--name=c", "--scopes=read"], ["list"], ["revoke", "a"]])
        {
            (int code, string output, string error) = await keys.RunAsync(proxy.Port, ["keys", .. command]);
            Assert.Equal((ExitCodes.Failed, ""), (code, output));
            Assert.Contains($"table {keys.Keyspace}.api_keys of Cassandra at 127.0.0.1 port {proxy.Port} cannot be read: ", error, StringComparison.Ordinal);
            Assert.Contains("--Cassandra:ContactPoints=NODE", (await keys.RunAsync(null, "keys", command[0], "--help")).Output, StringComparison.Ordinal);
        }
    }

    private static Task<ApiServer> StartAsync(ClusterKeys keys, string folder, int? port, RecordedLog? log = null, params string[] more) => StartOnAsync(
        keys.Folder(folder), log, [.. keys.Settings(port), .. more]);

    private static async Task<ApiServer> StartOnAsync(string folder, RecordedLog? log, string[] settings)
    {
        ApiServer server = await ApiServer.StartOnAsync(
            folder, services => services.AddSingleton<ILoggerProvider>(log ?? new RecordedLog()),
            ["--Logging:LogLevel:ClickAggregator=Information", "--Logging:Console:LogLevel:Default=None", "--Shutdown:Timeout=1s", .. settings]);
        server.KeepData();
        return server;
    }

    private static async Task<int> PostAsync(ApiServer server, string key) =>
        (await server.PostAsync(Click, headers: ("Authorization", "Bearer " + key))).Status;

    private static async Task UntilAsync(ApiServer server, string key, int status)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (await PostAsync(server, key) != status)
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task<IReadOnlyList<string>> CheckAsync(ClusterKeys keys, string folder, int port, params string[] more)
    {
        Arguments arguments = Arguments.Parse(
            ["--data", keys.Folder(folder), "--urls", "http://*:80", .. keys.Settings(port), .. more], ApiSettings.Table(), Sections.Names);
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(arguments.Values).Build();
        LoadedSettings loaded = SettingsLoader.Load(configuration, arguments);
        Assert.Empty(loaded.Faults);
        return await KeyRule.CheckAsync(loaded.Settings, configuration, TimeProvider.System);
    }
}
