using System.Security.Cryptography;

namespace ClickAggregator.Api.Keys;

/// <summary>All keys that are known at a moment. Never changes; a change makes another one.</summary>
internal sealed class KeySet
{
    /// <summary>The most keys in use: a request is compared with each of them.</summary>
    public const int MaxUsable = 1_000;

    private readonly ApiKey[] _usable;

    /// <param name="keys">All of them, the revoked ones too.</param>
    /// <param name="mayBeOpen">Whether no key may mean that everybody is let in: only where nobody else can reach it.</param>
    public KeySet(IReadOnlyCollection<ApiKey> keys, bool mayBeOpen)
    {
        _usable = [.. keys.Where(key => key.Revoked is null)];
        IsOpen = mayBeOpen && keys.Count == 0;
        PublicOrigins = [.. _usable.SelectMany(key => key.Origins).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Keys are not in use here, and were not: a revoked key still closes the door.</summary>
    public bool IsOpen { get; }

    /// <summary>Keys that are good.</summary>
    public int Usable => _usable.Length;

    /// <summary>Of all public keys.</summary>
    public IReadOnlyList<string> PublicOrigins { get; }

    /// <summary>The key of a secret; null where it is none, or one that was revoked.</summary>
    public ApiKey? Find(ReadOnlySpan<char> secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (!KeySecret.TryHash(secret, hash))
        {
            return null;
        }

        // All of each, and to the last one: how long it takes says nothing of how near it was.
        ApiKey? found = null;
        foreach (ApiKey key in _usable)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, key.Hash))
            {
                found = key;
            }
        }

        return found;
    }
}
