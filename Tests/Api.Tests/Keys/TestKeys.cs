using ClickAggregator.Api.Keys;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>Keys in a data directory, and their secrets.</summary>
internal sealed class TestKeys(string folder)
{
    private readonly Dictionary<string, string> _secrets = [];

    public static KeyScope[] Scopes { get; } = [KeyScope.Ingest, KeyScope.Read, KeyScope.Admin];

    /// <summary>Of the right form, and nobody's.</summary>
    public static string Unknown { get; } = KeySecret.Make(isPublic: false);

    public FileKeyStore Store { get; } = new(folder, TimeProvider.System);

    public string this[string name] => _secrets[name];

    public async Task<string> AddAsync(string name, KeyScope scopes, params string[] origins)
    {
        string secret = KeySecret.Make(origins.Length > 0);
        await Store.AddAsync(
            new ApiKey { Name = name, Hash = KeySecret.Hash(secret), Scopes = scopes, Origins = origins, Created = DateTimeOffset.UnixEpoch },
            CancellationToken.None);
        return _secrets[name] = secret;
    }
}
