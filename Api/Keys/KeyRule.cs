using ClickAggregator.Api.Settings;

namespace ClickAggregator.Api.Keys;

/// <summary>What must be so before the program starts: it listens to other machines only with a key.</summary>
internal static class KeyRule
{
    /// <returns>Each fault: a setting's name and the rule that it broke.</returns>
    public static async Task<IReadOnlyList<string>> CheckAsync(ApiSettings settings, IConfiguration configuration, TimeProvider time)
    {
        IReadOnlyList<(string Name, string Url)> exposed = BindRule.Exposed(settings, configuration);
        IReadOnlyList<ApiKey> stored;
        try
        {
            stored = await KeySetup.StoreOf(settings, time).ReadAsync(CancellationToken.None);
        }
        catch (KeyStoreException e)
        {
            return [$"DataDirectory: {e.Message}"];
        }

        if (settings.Keys.Concat(stored).Any(key => key.Revoked is null))
        {
            return [];
        }

        string without = stored.Count == 0 ? "there is no key" : "every key is revoked";
        return [.. exposed.Select(address =>
            $"{address.Name} must be a loopback address (localhost, 127.0.0.1 or [::1]) while {without}, and has \"{address.Url}\". "
            + $"To make one: Api keys add --name NAME --scopes ingest,read --data {settings.DataDirectory}")];
    }
}
