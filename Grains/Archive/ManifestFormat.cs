using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Archive;

/// <summary>Entries of manifests as JSON. The same entry gives the same bytes.</summary>
internal static class ManifestFormat
{
    private const string HourFormat = "yyyy-MM-dd'T'HH";
    private const long HourMilliseconds = 3_600_000;
    private static readonly JsonWriterOptions s_form = new() { Indented = true, NewLine = "\n", IndentSize = 1 };

    public static byte[] Write(ManifestEntry entry)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, s_form))
        {
            json.WriteStartObject();
            json.WriteNumber("number", entry.Number);
            json.WriteString("cause", Name(entry.Cause));
            json.WriteNumber("chain", entry.Chain.Number);
            json.WriteString("log", entry.Chain.Log);
            json.WriteNumber("partition", entry.Chain.Partition);
            json.WriteNumber("from", entry.From);
            json.WriteNumber("to", entry.To);
            json.WriteString("previous", entry.Previous);
            if (entry.Replaces is long replaces)
            {
                json.WriteNumber("replaces", replaces);
            }

            if (entry.Duplicates is { } rule)
            {
                json.WriteNumber("duplicates_horizon_ms", (long)rule.Horizon.TotalMilliseconds);
                json.WriteNumber("duplicates_max_ids", rule.MaxIds);
            }

            json.WriteNumber("until", entry.Until);
            json.WriteNumber("dedup_from", entry.DedupFrom);
            if (entry.Last is { } last)
            {
                json.WriteNumber("last_offset", last.Offset);
                json.WriteString("last_hash", last.Hash.ToString("x16", CultureInfo.InvariantCulture));
            }

            if (entry.Erasure is long erasure)
            {
                json.WriteNumber("erasure", erasure);
                json.WriteNumber("erasure_at", entry.ErasureAt);
                json.WriteNumber("erased", entry.Erased);
            }

            WriteAdds(json, entry.Adds);
            WriteTakes(json, entry.Takes);
            json.WriteEndObject();
        }

        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads an entry.</summary>
    /// <exception cref="ArchiveDamagedException">It is none; the message names the object.</exception>
    public static ManifestEntry Read(ReadOnlyMemory<byte> bytes, string key)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            JsonElement json = document.RootElement;
            return new ManifestEntry
            {
                Number = json.GetProperty("number").GetInt64(),
                Cause = Enum.Parse<ArchiveCause>(Text(json, "cause"), ignoreCase: true),
                Chain = new ArchiveChain(Text(json, "log"), json.GetProperty("partition").GetInt32(), json.GetProperty("chain").GetInt32()),
                From = json.GetProperty("from").GetInt64(),
                To = json.GetProperty("to").GetInt64(),
                Previous = Text(json, "previous"),
                Replaces = json.TryGetProperty("replaces", out JsonElement replaces) ? replaces.GetInt64() : null,
                Duplicates = json.TryGetProperty("duplicates_horizon_ms", out JsonElement horizon)
                    ? new DuplicateRule(TimeSpan.FromMilliseconds(horizon.GetInt64()), json.GetProperty("duplicates_max_ids").GetInt32())
                    : null,
                Until = json.GetProperty("until").GetInt64(),
                DedupFrom = json.GetProperty("dedup_from").GetInt64(),
                Last = json.TryGetProperty("last_offset", out JsonElement last)
                    ? new LogMark(last.GetInt64(), ulong.Parse(Text(json, "last_hash"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))
                    : null,
                Erasure = json.TryGetProperty("erasure", out JsonElement erasure) ? erasure.GetInt64() : null,
                ErasureAt = json.TryGetProperty("erasure_at", out JsonElement erasureAt) ? erasureAt.GetInt64() : 0,
                Erased = json.TryGetProperty("erased", out JsonElement erased) ? erased.GetInt64() : 0,
                Adds = [.. json.GetProperty("adds").EnumerateArray().Select(ReadObject)],
                Takes = [.. json.GetProperty("takes").EnumerateArray().Select(ReadTaken)],
            };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or ArgumentException or OverflowException)
        {
            throw new ArchiveDamagedException($"{key} is no entry of a manifest: {error.Message}", error);
        }
    }

    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static string Name(ArchiveCause cause) => cause switch
    {
        ArchiveCause.Write => "write",
        ArchiveCause.Merge => "merge",
        ArchiveCause.Erase => "erase",
        ArchiveCause.Lost => "lost",
        _ => throw new ArgumentOutOfRangeException(nameof(cause)),
    };

    private static void WriteAdds(Utf8JsonWriter json, IReadOnlyList<ManifestObject> adds)
    {
        json.WriteStartArray("adds");
        foreach (ManifestObject one in adds)
        {
            json.WriteStartObject();
            json.WriteString("key", one.Key);
            json.WriteString("sha256", one.Sha256);
            if (one.Was is not null)
            {
                json.WriteString("was", one.Was);
            }

            json.WriteNumber("bytes", one.Bytes);
            if (one.Footer is { } footer)
            {
                json.WriteNumber("footer_bytes", footer.Bytes);
                json.WriteString("footer_sha256", footer.Sha256);
            }

            json.WriteNumber("from", one.From);
            json.WriteNumber("to", one.To);
            json.WriteStartObject("hours");
            foreach (HourRows hour in one.Hours)
            {
                json.WriteNumber(Name(hour.Hour), hour.Rows);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTakes(Utf8JsonWriter json, IReadOnlyList<TakenRows> takes)
    {
        json.WriteStartArray("takes");
        foreach (TakenRows one in takes)
        {
            json.WriteStartObject();
            json.WriteString("key", one.Key);
            json.WriteStartArray("hours");
            foreach (int hour in one.Hours)
            {
                json.WriteStringValue(Name(hour));
            }

            json.WriteEndArray();
            json.WriteBoolean("gone", one.Gone);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static ManifestObject ReadObject(JsonElement json) => new(
        Text(json, "key"), Text(json, "sha256"), json.GetProperty("bytes").GetInt64(), json.GetProperty("from").GetInt64(), json.GetProperty("to").GetInt64(),
        [.. json.GetProperty("hours").EnumerateObject().Select(hour => new HourRows(Hour(hour.Name), hour.Value.GetInt64()))])
    {
        Was = json.TryGetProperty("was", out JsonElement was) ? was.GetString() : null,
        Footer = json.TryGetProperty("footer_bytes", out JsonElement footer) ? new ObjectFooter(footer.GetInt32(), Text(json, "footer_sha256")) : null,
    };

    private static TakenRows ReadTaken(JsonElement json) => new(
        Text(json, "key"), [.. json.GetProperty("hours").EnumerateArray().Select(hour => Hour(hour.GetString() ?? ""))], json.GetProperty("gone").GetBoolean());

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");

    private static string Name(int hour) => DateTimeOffset.FromUnixTimeMilliseconds(hour * HourMilliseconds).ToString(HourFormat, CultureInfo.InvariantCulture);

    private static int Hour(string name) =>
        (int)(DateTimeOffset.ParseExact(name, HourFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds() / HourMilliseconds);
}
