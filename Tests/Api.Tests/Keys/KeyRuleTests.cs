using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Settings;
using ClickAggregator.Settings;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>To other machines the program listens only with a key.</summary>
public sealed class KeyRuleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keys-rule-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("http://0.0.0.0:5080")]
    [InlineData("http://*:5080")]
    [InlineData("http://example.org:5080")]
    public async Task Without_one_it_does_not_start_and_says_how_to_make_one(string url)
    {
        Assert.Equal(
            [$"urls must be a loopback address (localhost, 127.0.0.1 or [::1]) while there is no key, and has \"{url}\". To make one: Api keys add --name NAME --scopes ingest,read --data {_folder}"],
            await CheckAsync("--urls", "http://localhost:5080;" + url));
    }

    [Fact]
    public async Task With_one_in_the_directory_or_in_the_settings_it_starts()
    {
        Assert.Empty(await CheckAsync("--urls", "http://*:80", "--Keys:a:Scopes=read", "--Keys:a:Hash=" + new string('a', 64)));
        var keys = new TestKeys(_folder);
        await keys.AddAsync("a", KeyScope.Ingest);
        Assert.Empty(await CheckAsync("--urls", "http://*:80"));
        await keys.Store.RevokeAsync("a", DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        Assert.Contains("while every key is revoked", Assert.Single(await CheckAsync("--urls", "http://*:80")), StringComparison.Ordinal);
        Assert.Empty(await CheckAsync("--urls", "http://localhost:80"));
    }

    [Fact]
    public async Task The_web_servers_own_endpoints_are_addresses_too() => Assert.StartsWith(
        "Kestrel:Endpoints:Http:Url must be a loopback address",
        Assert.Single(await CheckAsync("--Kestrel:Endpoints:Http:Url=http://*:80")), StringComparison.Ordinal);

    [Fact]
    public async Task A_file_of_keys_that_cannot_be_used_is_a_fault_among_the_others()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "keys.json"), "{", TestContext.Current.CancellationToken);
        Assert.StartsWith($"DataDirectory: {_folder}", Assert.Single(await CheckAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_others_reach_is_never_open()
    {
        // Past the rule, as where the file is lost between the check and the reading.
        await using ApiServer server = await ApiServer.StartAsync("--Kestrel:Endpoints:Http:Url=http://0.0.0.0:0");
        using var client = new HttpClient();
        Assert.Equal(401, (int)(await client.GetAsync(new Uri($"http://127.0.0.1:{server.Address.Port}/v1/status"), TestContext.Current.CancellationToken)).StatusCode);
    }

    private async Task<IReadOnlyList<string>> CheckAsync(params string[] args)
    {
        Arguments arguments = Arguments.Parse(["--data", _folder, .. args], ApiSettings.Table(), Sections.Names);
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(arguments.Values).Build();
        LoadedSettings loaded = SettingsLoader.Load(configuration, arguments);
        Assert.Empty(loaded.Faults);
        return await KeyRule.CheckAsync(loaded.Settings, configuration, TimeProvider.System);
    }
}
