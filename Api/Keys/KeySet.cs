using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;

namespace ClickAggregator.Api.Keys;

/// <summary>All keys that are known at a moment. Never changes; a change makes another one.</summary>
internal sealed class KeySet
{
    /// <summary>The most keys in use.</summary>
    public const int MaxUsable = 1_000;

    // Compared with where there is no key, so that this takes as long.
    private static readonly ApiKey[] s_nobody = [new ApiKey { Name = "nobody", Hash = new byte[SHA256.HashSizeInBytes], Scopes = KeyScope.None }];

    private readonly FrozenDictionary<ulong, ApiKey[]> _usable;

    /// <param name="keys">All of them, the revoked ones too.</param>
    /// <param name="mayBeOpen">Whether no key may mean that everybody is let in: only where nobody else can reach it.</param>
    /// <param name="areAll">Whether there are no others that nobody could read yet.</param>
    public KeySet(IReadOnlyCollection<ApiKey> keys, bool mayBeOpen, bool areAll = true)
    {
        ApiKey[] usable = [.. keys.Where(key => key.Revoked is null)];
        _usable = usable.GroupBy(key => Place(key.Hash)).ToFrozenDictionary(group => group.Key, group => group.ToArray());
        Usable = usable.Length;
        AreAll = areAll;
        IsOpen = mayBeOpen && areAll && keys.Count == 0;
        PublicOrigins = [.. usable.SelectMany(key => key.Origins).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Keys are not in use here, and were not: a revoked key still closes the door.</summary>
    public bool IsOpen { get; }

    /// <summary>False while a key that is not among them may be good.</summary>
    public bool AreAll { get; }

    /// <summary>Keys that are good.</summary>
    public int Usable { get; }

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

        // The place is taken from the hash, which nobody can steer: what its finding takes may tell how a hash begins, and
        // no secret follows from that. The hash itself is compared to its last byte, whether or not there is a key.
        bool any = _usable.TryGetValue(Place(hash), out ApiKey[]? keys);
        ApiKey? found = null;
        foreach (ApiKey key in any ? keys! : s_nobody)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, key.Hash))
            {
                found = key;
            }
        }

        return any ? found : null;
    }

    private static ulong Place(ReadOnlySpan<byte> hash) => BinaryPrimitives.ReadUInt64LittleEndian(hash);
}
