using ClickAggregator.Api.Settings;
using ClickAggregator.Persistence.Cassandra;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Keys;

/// <summary>What must be so before the program starts: it listens to other machines only with a key.</summary>
internal static class KeyRule
{
    /// <returns>Each fault: a setting's name and the rule that it broke.</returns>
    public static async Task<IReadOnlyList<string>> CheckAsync(ApiSettings settings, IConfiguration configuration, TimeProvider time)
    {
        IReadOnlyList<(string Name, string Url)> exposed = BindRule.Exposed(settings, configuration);
        if (settings.Cassandra is { } cassandra
            && (exposed.Count == 0 || settings.Keys.Count > 0 || cassandra.Options().Validate().Count > 0 || Remembers(settings)))
        {
            // It is not asked for nothing, nor where its settings are a fault already. Nor where a key is remembered: the start
            // would wait for it twice, and a key that has ended since is refused by the server itself.
            return [];
        }

        KnownKeys stored;
        try
        {
            await using var sessions = new CassandraSessions(NullLoggerFactory.Instance, time);
            stored = await KnownKeys.ReadAsync(KeySetup.StoreOf(settings, sessions, time), KeySetup.MemoryOf(settings), time, CancellationToken.None);
        }
        catch (KeyStoreException e)
        {
            return [$"DataDirectory: {e.Message}"];
        }

        if (settings.Keys.Concat(stored.Keys).Any(key => key.Revoked is null))
        {
            return [];
        }

        string without = stored.Trouble is not null ? "no key is known" : stored.Keys.Count == 0 ? "there is no key" : "every key is revoked";
        string remedy = stored.Trouble is { } trouble
            ? $"Keys are in Cassandra, which does not say them ({trouble}), and {KeySetup.MemoryOf(settings)!.Path} remembers none that is good. "
                + "Start when Cassandra answers, or with a key in the settings (keys add --as-settings)"
            : $"To make one: Api keys add --name NAME --scopes ingest,read --data {settings.DataDirectory}"
                + (settings.Cassandra is null ? "" : ", with the settings of Cassandra and Kafka that are given here");
        return [.. exposed.Select(address =>
            $"{address.Name} must be a loopback address (localhost, 127.0.0.1 or [::1]) while {without}, and has \"{address.Url}\". {remedy}")];
    }

    private static bool Remembers(ApiSettings settings)
    {
        try
        {
            return KeySetup.MemoryOf(settings)!.Read().Any(key => key.Revoked is null);
        }
        catch (KeyStoreException)
        {
            return false; // it is read once more where Cassandra does not answer, and then said
        }
    }
}
