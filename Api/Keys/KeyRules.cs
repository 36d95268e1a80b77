namespace ClickAggregator.Api.Keys;

/// <summary>The rules of every store.</summary>
internal static class KeyRules
{
    /// <exception cref="KeyStoreException">Another key in use has its name, or there are too many.</exception>
    public static void CheckNew(IReadOnlyList<ApiKey> keys, ApiKey key)
    {
        if (keys.Any(other => other.Name == key.Name && other.Revoked is null))
        {
            throw new KeyStoreException($"there is a key {key.Name} already; choose another name, or revoke it first (keys revoke {key.Name})");
        }

        if (keys.Count(other => other.Revoked is null) >= KeySet.MaxUsable)
        {
            throw new KeyStoreException($"there are {KeySet.MaxUsable:N0} keys already, which is the most; revoke some");
        }
    }

    /// <summary>The key that is to be revoked.</summary>
    /// <exception cref="KeyStoreException">There is none, or there are two.</exception>
    public static ApiKey Choose(IReadOnlyList<ApiKey> keys, string idOrName, string place)
    {
        ApiKey[] named = [.. keys.Where(key => key.Id == idOrName || (key.Name == idOrName && key.Revoked is null))];
        return named switch
        {
            [ApiKey key] => key,
            [] when keys.LastOrDefault(key => key.Name == idOrName) is { } earlier => earlier,
            [] => throw new KeyStoreException($"there is no key {idOrName} in {place}; keys list shows them"),
            _ => throw new KeyStoreException($"{idOrName} is the id of one key and the name of another; give the other's id"),
        };
    }
}
