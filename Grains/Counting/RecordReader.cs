using System.Buffers.Binary;
using System.IO.Hashing;
using ClickAggregator.Clicks;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Reads a log record as a click: the compact form, or JSON as other producers write it. What is missing is filled
/// from the log alone, so that every reader fills in the same.
/// </summary>
internal sealed class RecordReader
{
    // 2000-01-01 and 9999-12-31: the parser lets nothing older in; beyond, an hour's number would mean nothing.
    private const long Oldest = 946_684_800_000;
    private const long Newest = 253_402_300_799_999;

    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];

    /// <summary>Reads a record; false where it holds no click. The click looks into the value and into this reader.</summary>
    public bool TryRead(ReadOnlySpan<byte> value, in SlabRecord record, out Click click)
    {
        if (value.IsEmpty)
        {
            click = default;
            return false;
        }

        bool read = value[0] == ClickRecord.Version
            ? ClickRecord.TryRead(value, out click)
            : ClickParser.TryParse(value, _scratch, record.Timestamp, out click, out _);
        if (click.Timestamp == Click.NoTimestamp)
        {
            click.Timestamp = record.Timestamp;
        }

        return read && click.Timestamp is >= Oldest and <= Newest;
    }

    /// <summary>What the click is recognised by. One without an id is like no other record.</summary>
    public static UInt128 Hash(in Click click, long offset)
    {
        if (!click.ClickId.IsEmpty)
        {
            return ClickHash.Compute(in click);
        }

        // Kind 0 exists in no click, so this equals no click's hash input.
        Span<byte> bytes = stackalloc byte[9];
        bytes[0] = 0;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[1..], offset);
        return XxHash128.HashToUInt128(bytes);
    }
}
