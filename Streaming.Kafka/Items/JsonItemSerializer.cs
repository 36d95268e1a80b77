using System.Text.Json;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Items as JSON, UTF-8.</summary>
/// <param name="options">How; by default as System.Text.Json does without options.</param>
public sealed class JsonItemSerializer(JsonSerializerOptions? options = null) : IItemSerializer
{
    /// <inheritdoc/>
    public byte[] Serialize<T>(T item) => JsonSerializer.SerializeToUtf8Bytes(item, options);

    /// <inheritdoc/>
    public T? Deserialize<T>(ReadOnlySpan<byte> bytes) => JsonSerializer.Deserialize<T>(bytes, options);
}
