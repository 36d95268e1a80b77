using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ClickAggregator.Clicks;
using Confluent.Kafka;

namespace ClickAggregator.Shipper;

/// <summary>
/// Makes a record for Kafka of one of the click log: its key is <c>{kind}:{id}</c>, so that a target's clicks stay in one
/// partition, its value as the format says. Not safe for concurrent use.
/// </summary>
internal sealed class ClickMessage(ShipFormat format)
{
    private readonly byte[] _key = new byte[TargetPartitioner.MaxKeyBytes];
    private readonly ArrayBufferWriter<byte> _json = new(ClickJson.MaxBytes);

    /// <summary>False where the bytes are no click of the click log.</summary>
    public bool TryMake(ReadOnlySpan<byte> record, [NotNullWhen(true)] out Message<byte[], byte[]>? message)
    {
        message = null;
        if (!ClickRecord.TryRead(record, out Click click))
        {
            return false;
        }

        int length = TargetPartitioner.WriteKey(click.Kind, click.TargetId, _key);
        message = new Message<byte[], byte[]> { Key = _key.AsSpan(0, length).ToArray(), Value = ValueOf(record, in click) };
        return true;
    }

    private byte[] ValueOf(ReadOnlySpan<byte> record, in Click click)
    {
        if (format == ShipFormat.Compact)
        {
            return record.ToArray();
        }

        _json.ResetWrittenCount();
        ClickJson.Write(in click, _json);
        return _json.WrittenSpan.ToArray();
    }
}
