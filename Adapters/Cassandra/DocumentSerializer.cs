using System.Text.Json;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>The documents of grains as the other store keeps them too: plain JSON.</summary>
internal sealed class DocumentSerializer : IGrainStorageSerializer
{
    public BinaryData Serialize<T>(T? input) => new(JsonSerializer.SerializeToUtf8Bytes(input));

    public T Deserialize<T>(BinaryData input) => JsonSerializer.Deserialize<T>(input.ToMemory().Span)!;
}
