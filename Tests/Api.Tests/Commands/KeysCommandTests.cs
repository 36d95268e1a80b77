using ClickAggregator.Api.Commands;
using ClickAggregator.Api.Keys;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Api.Tests.Commands;

public sealed class KeysCommandTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 22, 19, 21, 55, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("keys-commands-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_key_is_made_listed_and_revoked()
    {
        (int code, string secret, string said) = await RunAsync("keys", "add", "--name", "shop", "--scopes", "ingest,read");
        Assert.Equal(ExitCodes.Done, code);
        Assert.Matches("^sk_[A-Za-z0-9_-]{43}$", secret.Trim());
        string id = Convert.ToHexStringLower(KeySecret.Hash(secret.Trim()))[..10];
        Assert.Equal($"The key shop ({id}) with ingest,read is in {Path.Combine(_folder, "keys.json")}, by its SHA-256. Its secret is shown only now:", said.Trim());

        (code, string page, _) = await RunAsync("keys", "add", "--name=page", "--scopes=ingest", "--public", "--origins", "https://A.example,https://b.example:443");
        Assert.Equal(ExitCodes.Done, code);
        Assert.Matches("^pk_[A-Za-z0-9_-]{43}$", page.Trim());

        (code, string revoked, _) = await RunAsync("keys", "revoke", id);
        Assert.Equal((ExitCodes.Done, $"The key shop ({id}) is revoked"), (code, revoked.Trim()));
        Assert.Equal(ExitCodes.Done, (await RunAsync("keys", "revoke", "page")).Code);

        (code, string list, string nothing) = await RunAsync("keys", "list", "--Keys:given:Hash=" + new string('a', 64), "--Keys:given:Scopes=admin");
        Assert.Equal((ExitCodes.Done, ""), (code, nothing));
        string pageId = Convert.ToHexStringLower(KeySecret.Hash(page.Trim()))[..10];
        Assert.Equal(
            [
                "ID          NAME   SCOPES       CREATED               STATE                         ORIGINS",
                "aaaaaaaaaa  given  admin        settings              secret",
                $"{id}  shop   ingest,read  2026-11-22T19:21:55Z  revoked 2026-11-22T19:21:55Z",
                $"{pageId}  page   ingest       2026-11-22T19:21:55Z  revoked 2026-11-22T19:21:55Z  https://a.example,https://b.example",
            ],
            list.TrimEnd().Split(Environment.NewLine));
        Assert.DoesNotContain(secret.Trim()[3..], list, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_can_have_the_key_where_directories_are_not_shared()
    {
        (int code, string secret, string said) = await RunAsync("keys", "add", "--name", "shop", "--scopes", "ingest", "--as-settings");
        Assert.Equal(ExitCodes.Done, code);
        Assert.Empty(Directory.GetFiles(_folder));
        Assert.Contains($"Keys__shop__Hash={Convert.ToHexStringLower(KeySecret.Hash(secret.Trim()))}{Environment.NewLine}Keys__shop__Scopes=ingest{Environment.NewLine}", said, StringComparison.Ordinal);
        Assert.DoesNotContain(secret.Trim(), said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_key_is_said_with_the_command_that_makes_one()
    {
        (int code, string output, string error) = await RunAsync("keys", "list");
        Assert.Equal((ExitCodes.Done, ""), (code, output));
        Assert.Contains("Api keys add --name NAME --scopes ingest,read", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_can_be_made_for_an_address_that_only_starts_with_one() =>
        Assert.Equal(ExitCodes.Done, (await RunAsync("keys", "add", "--name=a", "--scopes=read", "--urls", "http://0.0.0.0:80")).Code);

    [Theory]
    [InlineData("--name is missing", "add", "--scopes=read")]
    [InlineData("--scopes is missing", "add", "--name=a")]
    [InlineData("--name must have 1-64 characters", "add", "--name=a b", "--scopes=read")]
    [InlineData("--scopes must be one or several of ingest, read, admin, divided by commas, and is \"write\"", "add", "--name=a", "--scopes=write")]
    [InlineData("--scopes must be one or several of", "add", "--name=a", "--scopes=read,")]
    [InlineData("--public needs --origins", "add", "--name=a", "--scopes=ingest", "--public")]
    [InlineData("--origins is for a public key; give --public, too", "add", "--name=a", "--scopes=ingest", "--origins=https://a.example")]
    [InlineData("a public key has the scope ingest alone", "add", "--name=a", "--scopes=ingest,read", "--public", "--origins=https://a.example")]
    [InlineData("--origins must be origins, scheme and host without a path, such as https://shop.example, divided by commas, and has \"a.example\"", "add", "--name=a", "--scopes=ingest", "--public", "--origins=a.example")]
    [InlineData("--origins must be origins", "add", "--name=a", "--scopes=ingest", "--public", "--origins=https://a.example/")]
    [InlineData("--origins must be origins", "add", "--name=a", "--scopes=ingest", "--public", "--origins=*")]
    [InlineData("--public takes no value", "add", "--name=a", "--scopes=ingest", "--public=yes", "--origins=https://a.example")]
    [InlineData("there is a key given in the settings already (Keys:given)", "add", "--name=given", "--scopes=read", "--Keys:given:Scopes=read", "--Keys:given:Hash=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("KEY is missing", "revoke")]
    public async Task What_is_called_wrongly_makes_nothing(string fault, params string[] args)
    {
        (int code, string output, string error) = await RunAsync(["keys", .. args]);
        Assert.Equal((ExitCodes.Usage, ""), (code, output));
        Assert.Contains(fault, error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_and_makes_nothing()
    {
        await RunAsync("keys", "add", "--name=a", "--scopes=read");
        (int code, string output, string error) = await RunAsync("keys", "add", "--name=a", "--scopes=read");
        Assert.Equal((ExitCodes.Failed, ""), (code, output));
        Assert.Contains("There is no key: there is a key a already", error, StringComparison.Ordinal);

        (code, output, error) = await RunAsync("keys", "revoke", "b");
        Assert.Equal((ExitCodes.Failed, ""), (code, output));
        Assert.Contains("there is no key b in ", error, StringComparison.Ordinal);

        (code, _, error) = await RunAsync("keys", "revoke", "given", "--Keys:given:Hash=" + new string('a', 64), "--Keys:given:Scopes=admin");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("is in the settings: remove it there (Keys:given)", error, StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(_folder, "keys.json"), "{", TestContext.Current.CancellationToken);
        foreach (string[] command in (string[][])[["add", "--name=c", "--scopes=read"], ["list"], ["revoke", "a"]])
        {
            (code, output, error) = await RunAsync(["keys", .. command]);
            Assert.Equal((ExitCodes.Failed, ""), (code, output));
            Assert.Contains("cannot be used: it is damaged", error, StringComparison.Ordinal);
        }
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await new CommandLine(AllCommands.Make(new FakeTimeProvider(s_now)), output, error).RunAsync([.. args, "--data", _folder], CancellationToken.None);
        return (code, output.ToString(), error.ToString());
    }
}
