using System.Security.Cryptography;

namespace ClickAggregator.Api.Keys;

/// <summary>A key as it is known here: everything but its secret.</summary>
internal sealed class ApiKey
{
    public const int MaxNameLength = 64;

    /// <summary>The rule of names.</summary>
    public const string NameRule = "1-64 characters of A-Z a-z 0-9 . _ -";

    /// <summary>What people call it; no two keys that are in use have the same.</summary>
    public required string Name { get; init; }

    /// <summary>The SHA-256 of the whole secret.</summary>
    public required byte[] Hash { get; init; }

    public required KeyScope Scopes { get; init; }

    /// <summary>Where its pages are. A key with origins is public: it stands in pages, and is good only from there.</summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>Null for a key of the settings.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Null while it is good.</summary>
    public DateTimeOffset? Revoked { get; init; }

    /// <summary>The first digits of the hash: it names the key, and whoever has a secret can tell which key it is.</summary>
    public string Id => Convert.ToHexStringLower(Hash.AsSpan(0, 5));

    public bool IsPublic => Origins.Count > 0;

    public static bool IsName(string text) =>
        text.Length is > 0 and <= MaxNameLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    public static bool IsHash(byte[] hash) => hash.Length == SHA256.HashSizeInBytes;

    public ApiKey RevokedAt(DateTimeOffset time) =>
        new() { Name = Name, Hash = Hash, Scopes = Scopes, Origins = Origins, Created = Created, Revoked = time };
}
