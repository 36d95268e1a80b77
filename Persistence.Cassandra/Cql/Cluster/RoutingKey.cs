using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>The bytes of a partition key: those of its value, or of several with the length before and a zero after each.</summary>
internal static class RoutingKey
{
    // What a key may have; servers refuse longer ones.
    private const int MaxPartBytes = ushort.MaxValue;

    /// <summary>The key's bytes; null where a part is not bound.</summary>
    public static byte[]? Of(CqlValues values, ReadOnlySpan<int> parts)
    {
        if (parts.Length == 0)
        {
            return null;
        }

        var key = new CqlBuffer(64);
        foreach (int part in parts)
        {
            if (!values.TryGetBytes(part, out ReadOnlySpan<byte> value) || value.Length > MaxPartBytes)
            {
                return null;
            }

            if (parts.Length == 1)
            {
                key.WriteRaw(value);
            }
            else
            {
                key.WriteShortBytes(value);
                key.WriteByte(0);
            }
        }

        return key.Span.ToArray();
    }
}
