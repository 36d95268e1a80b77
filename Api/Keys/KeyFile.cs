using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClickAggregator.Api.Keys;

/// <summary>How <c>keys.json</c> is written.</summary>
/// <param name="Version">1.</param>
/// <param name="Keys">In the order in which they were added.</param>
internal sealed record KeyFile(int Version, IReadOnlyList<KeyFile.Entry?>? Keys)
{
    private const int Known = 1;

    /// <summary>One key.</summary>
    /// <param name="Name">See <see cref="ApiKey.NameRule"/>.</param>
    /// <param name="Hash">64 hexadecimal digits.</param>
    /// <param name="Scopes">Their names.</param>
    /// <param name="Origins">Only of a public key.</param>
    /// <param name="Created">When it was made.</param>
    /// <param name="Revoked">When it ended.</param>
    internal sealed record Entry(
        string? Name, string? Hash, IReadOnlyList<string>? Scopes, IReadOnlyList<string>? Origins, DateTimeOffset Created, DateTimeOffset? Revoked);

    public static byte[] Write(IEnumerable<ApiKey> keys) => JsonSerializer.SerializeToUtf8Bytes(
        new KeyFile(Known, [.. keys.Select(key => new Entry(
            key.Name, Convert.ToHexStringLower(key.Hash), [.. KeyScopes.Names(key.Scopes)], key.IsPublic ? key.Origins : null,
            key.Created ?? default, key.Revoked))]),
        KeyFileJson.Default.KeyFile);

    /// <exception cref="FormatException">It is something else, and this says what.</exception>
    public static IReadOnlyList<ApiKey> Read(ReadOnlySpan<byte> text)
    {
        KeyFile? file;
        try
        {
            file = JsonSerializer.Deserialize(text, KeyFileJson.Default.KeyFile);
        }
        catch (JsonException e)
        {
            throw new FormatException($"it is damaged (line {e.LineNumber + 1})", e);
        }

        if (file?.Version != Known)
        {
            throw new FormatException($"it has version {file?.Version ?? 0}, and this program reads {Known}");
        }

        IReadOnlyList<Entry?> entries = file.Keys ?? throw new FormatException("it has no list of keys");
        ApiKey[] keys = [.. entries.Select((entry, place) => KeyOf(entry) ?? throw new FormatException($"its key {place} is damaged"))];
        return keys.DistinctBy(key => Convert.ToHexString(key.Hash)).Count() == keys.Length
            ? keys
            : throw new FormatException("it has a key twice");
    }

    /// <summary>
    /// The key; null where one part of it cannot be read. Then it is not let in with its other parts: nobody would notice what
    /// it lost.
    /// </summary>
    public static ApiKey? KeyOf(Entry? entry)
    {
        byte[] hash = new byte[32];
        return entry is { Name: { } name, Hash.Length: 64, Scopes: { } names }
            && ApiKey.IsName(name)
            && Convert.FromHexString(entry.Hash, hash, out _, out _) == System.Buffers.OperationStatus.Done
            && KeyScopes.TryParse(string.Join(',', names), out KeyScope scopes)
            && (entry.Origins ?? []).All(origin => KeyOrigin.TryRead(origin, out string? whole) && whole == origin)
            && (entry.Origins is not { Count: > 0 } || scopes == KeyScope.Ingest)
            ? new ApiKey { Name = name, Hash = hash, Scopes = scopes, Origins = entry.Origins ?? [], Created = entry.Created, Revoked = entry.Revoked }
            : null;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    WriteIndented = true)]
[JsonSerializable(typeof(KeyFile))]
internal sealed partial class KeyFileJson : JsonSerializerContext;
