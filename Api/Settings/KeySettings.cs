using System.Buffers;
using ClickAggregator.Api.Keys;
using ClickAggregator.Settings;

namespace ClickAggregator.Api.Settings;

/// <summary>
/// <c>Keys:NAME:Hash</c>, <c>:Scopes</c>, <c>:Origins</c>: keys for programs that share no data directory. By name and not by
/// place, so that two sources of settings add up and never make one key of two halves.
/// </summary>
internal static class KeySettings
{
    private const string Section = "Keys";

    public static IReadOnlyList<ApiKey> Read(SettingReader reader)
    {
        IReadOnlyDictionary<string, string> given = reader.Map(Section, "Keys:NAME:Hash, Keys:NAME:Scopes, Keys:NAME:Origins",
            "keys beside those in the data directory or in Cassandra, by hash; keys add --as-settings prints them");
        var keys = new List<ApiKey>();
        foreach (IGrouping<string, KeyValuePair<string, string>> one in given.GroupBy(item => NameOf(item.Key), StringComparer.OrdinalIgnoreCase))
        {
            if (ReadOne(one.Key, one.ToDictionary(item => item.Key[one.Key.Length..].TrimStart(':'), item => item.Value, StringComparer.OrdinalIgnoreCase), reader) is { } key)
            {
                keys.Add(key);
            }
        }

        if (keys.Count > KeySet.MaxUsable)
        {
            reader.Fault(Section, $"must be at most {KeySet.MaxUsable:N0} keys, and are {keys.Count:N0}");
        }

        return keys;
    }

    private static string NameOf(string item) => item.LastIndexOf(':') is > 0 and int end ? item[..end] : item;

    // Never says what a value is: somebody may have put the secret there.
    private static ApiKey? ReadOne(string name, Dictionary<string, string> parts, SettingReader reader)
    {
        string at = $"{Section}:{name}";
        string[] unknown = [.. parts.Keys.Where(part => part.ToUpperInvariant() is not ("HASH" or "SCOPES" or "ORIGINS"))];
        if (unknown.Length > 0 || !ApiKey.IsName(name))
        {
            reader.Fault(at, $"is not a setting; a key is Keys:NAME:Hash, Keys:NAME:Scopes and, if it is public, Keys:NAME:Origins, its name {ApiKey.NameRule}");
            return null;
        }

        byte[] hash = new byte[32];
        string hashText = parts.GetValueOrDefault("Hash", "");
        bool hashed = hashText.Length == 64 && Convert.FromHexString(hashText, hash, out _, out _) == OperationStatus.Done;
        if (!hashed)
        {
            reader.Fault($"{at}:Hash", "must be the 64 hexadecimal digits that keys add --as-settings prints, not the key itself");
        }

        if (!KeyScopes.TryParse(parts.GetValueOrDefault("Scopes"), out KeyScope scopes))
        {
            reader.Fault($"{at}:Scopes", $"must be {KeyScopes.Rule}");
            return null;
        }

        var origins = new List<string>();
        foreach (string text in parts.GetValueOrDefault("Origins", "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!KeyOrigin.TryRead(text, out string? origin))
            {
                reader.Fault($"{at}:Origins", $"must be {KeyOrigin.Rule}, divided by commas");
                return null;
            }

            origins.Add(origin);
        }

        if (origins.Count > 0 && scopes != KeyScope.Ingest)
        {
            reader.Fault($"{at}:Scopes", "must be ingest alone where there are Origins: everybody can read a public key");
        }

        return hashed ? new ApiKey { Name = name, Hash = hash, Scopes = scopes, Origins = origins } : null;
    }
}
