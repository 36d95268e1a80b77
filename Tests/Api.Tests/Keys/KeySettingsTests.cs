using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Settings;
using ClickAggregator.Settings;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Api.Tests.Keys;

public class KeySettingsTests
{
    private static readonly string s_hash = new('a', 64);

    [Fact]
    public void A_key_is_given_by_name_in_any_source_and_halves_of_two_add_up()
    {
        LoadedSettings loaded = Load(
            [$"--Keys:page:Hash={new string('b', 64)}", "--Keys:page:Scopes=ingest", "--Keys:page:Origins=https://a.example, https://B.example", "--Keys:shop:Scopes=read"],
            new() { ["Keys:shop:Hash"] = s_hash, ["Keys:shop:Scopes"] = "ingest,admin" });
        Assert.Empty(loaded.Faults);
        ApiKey page = loaded.Settings.Keys.Single(key => key.Name == "page");
        ApiKey shop = loaded.Settings.Keys.Single(key => key.Name == "shop");
        Assert.Equal((KeyScope.Ingest, true), (page.Scopes, page.IsPublic));
        Assert.Equal(["https://a.example", "https://b.example"], page.Origins);
        Assert.Equal((KeyScope.Read, false, s_hash), (shop.Scopes, shop.IsPublic, Convert.ToHexStringLower(shop.Hash)));
    }

    [Fact]
    public void What_is_no_key_is_a_fault_with_name_and_rule_and_never_with_the_value()
    {
        const string Secret = "sk_abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs";
        IReadOnlyList<string> faults = Load(
            [$"--Keys:a:Hash={Secret}", "--Keys:a:Scopes=read", $"--Keys:b:Hash={s_hash}", "--Keys:b:Scopes=write", $"--Keys:c:Hash={s_hash}",
                $"--Keys:d:Hash={s_hash}", "--Keys:d:Scopes=read", "--Keys:d:Origins=https://a.example", $"--Keys:e:Hash={s_hash}", "--Keys:e:Scopes=ingest",
                "--Keys:e:Origins=a.example", "--Keys:f:Hsah=1", $"--Keys:g h:Hash={s_hash}", "--Keys:g h:Scopes=read"]).Faults;
        Assert.Equal(
            [
                "Keys:a:Hash must be the 64 hexadecimal digits that keys add --as-settings prints, not the key itself",
                "Keys:b:Scopes must be one or several of ingest, read, admin, divided by commas",
                "Keys:c:Scopes must be one or several of ingest, read, admin, divided by commas",
                "Keys:d:Scopes must be ingest alone where there are Origins: everybody can read a public key",
                "Keys:e:Origins must be origins, scheme and host without a path, such as https://shop.example, divided by commas",
                "Keys:f is not a setting; a key is Keys:NAME:Hash, Keys:NAME:Scopes and, if it is public, Keys:NAME:Origins, its name 1-64 characters of A-Z a-z 0-9 . _ -",
                "Keys:g h is not a setting; a key is Keys:NAME:Hash, Keys:NAME:Scopes and, if it is public, Keys:NAME:Origins, its name 1-64 characters of A-Z a-z 0-9 . _ -",
            ],
            faults.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Secret, string.Join('\n', faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_lets_in_the_keys_of_its_settings()
    {
        string secret = KeySecret.Make(isPublic: false);
        await using ApiServer server = await ApiServer.StartAsync($"--Keys:shop:Hash={Convert.ToHexString(KeySecret.Hash(secret))}", "--Keys:shop:Scopes=read");
        Assert.Equal(401, (await server.GetAsync("/v1/status")).Status);
        Assert.Equal(200, (await server.GetAsync("/v1/status", secret)).Status);
    }

    private static LoadedSettings Load(string[] args, Dictionary<string, string?>? file = null)
    {
        Arguments arguments = Arguments.Parse(args, ApiSettings.Table(), Sections.Names);
        return SettingsLoader.Load(new ConfigurationBuilder().AddInMemoryCollection(file).AddInMemoryCollection(arguments.Values).Build(), arguments);
    }
}
