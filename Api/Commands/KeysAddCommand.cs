using System.Globalization;
using ClickAggregator.Api.Keys;
using ClickAggregator.Persistence.Cassandra;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Commands;

/// <summary>Makes a key and prints its secret, this once.</summary>
internal sealed class KeysAddCommand(TimeProvider time) : ICommand
{
    private const string SettingsOption = "--as-settings";

    public string Name => "keys add";

    public string Summary => "makes a key and prints its secret, once; a running server knows it within a few seconds";

    public string? Remark => KeySetup.Where;

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("--name", "NAME", $"what to call it: {ApiKey.NameRule}", Required: true),
        new("--scopes", "LIST", $"what it allows: {KeyScopes.Rule}; none implies another", Required: true),
        new("--public", "", "a key for web pages, which everybody can read: scope ingest alone, good only from its --origins"),
        new("--origins", "LIST", $"of a public key: {KeyOrigin.Rule}, divided by commas"),
        new(SettingsOption, "", "keeps nothing; prints settings that make the key known to servers on other data directories"),
    ];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        string name = input.Options["--name"];
        if (!ApiKey.IsName(name))
        {
            throw new UsageException($"--name must have {ApiKey.NameRule}, and is \"{name}\"");
        }

        string scopesText = input.Options["--scopes"];
        if (!KeyScopes.TryParse(scopesText, out KeyScope scopes))
        {
            throw new UsageException($"--scopes must be {KeyScopes.Rule}, and is \"{scopesText}\"");
        }

        List<string> origins = Origins(input, scopes);
        if (input.Settings.Keys.Any(other => other.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new UsageException($"there is a key {name} in the settings already (Keys:{name}); choose another name");
        }

        string secret = KeySecret.Make(origins.Count > 0);
        var key = new ApiKey { Name = name, Hash = KeySecret.Hash(secret), Scopes = scopes, Origins = origins, Created = time.GetUtcNow() };
        if (input.Options.ContainsKey(SettingsOption))
        {
            await WriteSettingsAsync(input, key);
        }
        else
        {
            await using var sessions = new CassandraSessions(NullLoggerFactory.Instance, time);
            IKeyStore store = KeySetup.StoreOf(input.Settings, sessions, time);
            try
            {
                await store.AddAsync(key, cancellationToken);
            }
            catch (KeyStoreException e)
            {
                await input.Error.WriteLineAsync($"There is no key: {e.Message}");
                return ExitCodes.Failed;
            }

            await input.Error.WriteLineAsync($"The key {name} ({key.Id}) with {KeyScopes.Text(scopes)} is in {store.Place}, by its SHA-256. Its secret is shown only now:");
        }

        await input.Output.WriteLineAsync(secret);
        return ExitCodes.Done;
    }

    private static List<string> Origins(CommandInput input, KeyScope scopes)
    {
        bool isPublic = input.Options.ContainsKey("--public");
        if (!input.Options.TryGetValue("--origins", out string? text))
        {
            return isPublic ? throw new UsageException("--public needs --origins: the pages that the key is good from") : [];
        }

        if (!isPublic)
        {
            throw new UsageException("--origins is for a public key; give --public, too");
        }

        if (scopes != KeyScope.Ingest)
        {
            throw new UsageException("a public key has the scope ingest alone: everybody can read it in the page");
        }

        var origins = new List<string>();
        foreach (string one in text.Split(',', StringSplitOptions.TrimEntries))
        {
            origins.Add(KeyOrigin.TryRead(one, out string? origin)
                ? origin
                : throw new UsageException($"--origins must be {KeyOrigin.Rule}, divided by commas, and has \"{one}\""));
        }

        return origins;
    }

    private static async Task WriteSettingsAsync(CommandInput input, ApiKey key)
    {
        await input.Error.WriteLineAsync("Give these to the servers; in appsettings.json and on the command line with : for __");
        await input.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Keys__{key.Name}__Hash={Convert.ToHexStringLower(key.Hash)}"));
        await input.Error.WriteLineAsync($"Keys__{key.Name}__Scopes={KeyScopes.Text(key.Scopes)}");
        if (key.IsPublic)
        {
            await input.Error.WriteLineAsync($"Keys__{key.Name}__Origins={string.Join(',', key.Origins)}");
        }

        await input.Error.WriteLineAsync("The secret is shown only now:");
    }
}
