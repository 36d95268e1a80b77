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

    /// <summary>A longer record of another producer is no click: it is not even looked at.</summary>
    private const int MaxJsonBytes = 16 << 10;

    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];

    /// <summary>Reads a record; false where it holds no click. The click looks into the value and into this reader.</summary>
    public bool TryRead(ReadOnlySpan<byte> value, in SlabRecord record, out Click click)
    {
        if (value.IsEmpty || (value.Length > MaxJsonBytes && value[0] != ClickRecord.Version))
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

    /// <summary>Why a record holds no click, as a code and in words; null where it does.</summary>
    public (string Reason, string Message)? Fault(ReadOnlySpan<byte> value, in SlabRecord record)
    {
        if (TryRead(value, in record, out Click click))
        {
            return null;
        }

        if (value.IsEmpty)
        {
            return ("empty", "The record has no value.");
        }

        if (value[0] == ClickRecord.Version)
        {
            return click.Kind == TargetKind.None
                ? ("malformed_record", $"The record begins as one of version {ClickRecord.Version}, and is not a whole one.")
                : ("timestamp_invalid", "The click's time is not between 2000 and 9999.");
        }

        if (value.Length > MaxJsonBytes)
        {
            return ("line_too_long", $"The record is longer than {MaxJsonBytes:N0} bytes.");
        }

        return ClickParser.TryParse(value, _scratch, record.Timestamp, out _, out ClickError error)
            ? ("timestamp_invalid", "The click's time, or the record's where it has none, is not between 2000 and 9999.")
            : (error.CodeName, error.Message);
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
