using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClickAggregator.Shipper;

/// <summary>
/// The record that goes into the positions topic with each transaction, under the log's id: how far the log is shipped
/// when the transaction commits.
/// </summary>
/// <param name="Shipper">The process that shipped: another than ours means that we were replaced.</param>
/// <param name="At">When, milliseconds since the epoch.</param>
/// <param name="Offsets">Per partition of the log: every offset below is shipped.</param>
/// <param name="Marks">Per partition: the last record that was shipped, if any; null where a version that knew no marks wrote this.</param>
internal sealed record ShippedPositions(string Shipper, long At, long[] Offsets, ShippedMark?[]? Marks = null)
{
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, PositionsJson.Default.ShippedPositions);

    /// <exception cref="ShipperStoppedException">It is no such record.</exception>
    public static ShippedPositions Parse(ReadOnlySpan<byte> bytes, string topic)
    {
        try
        {
            if (JsonSerializer.Deserialize(bytes, PositionsJson.Default.ShippedPositions) is { Offsets: { } offsets } positions
                && offsets.All(offset => offset >= 0)
                && (positions.Marks is null || positions.Marks.Length == offsets.Length))
            {
                return positions;
            }
        }
        catch (JsonException error)
        {
            throw new ShipperStoppedException($"the record of this log in {topic} cannot be read: {error.Message}", error);
        }

        throw new ShipperStoppedException($"the record of this log in {topic} says no positions, or marks of other partitions");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ShippedPositions))]
internal sealed partial class PositionsJson : JsonSerializerContext;
