using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;

namespace ClickAggregator.Silo.Kafka;

/// <summary>
/// The envelope of a replayed click as headers of a record, whose value is the click: <c>replay</c> (32 hexadecimal digits),
/// <c>run</c>, <c>chain</c>, <c>hour</c>, <c>partition</c>, <c>offset</c>, <c>timestamp</c> and <c>taken</c> (0 or 1), in this order, as
/// text. A record with others is none of ours, and becomes bytes that hold no envelope.
/// </summary>
internal sealed class ReplayHeaders : IRecordMapping
{
    private ReplayHeaders()
    {
    }

    public static ReplayHeaders Instance { get; } = new();

    /// <summary>The record for a topic.</summary>
    public static Message<Null, byte[]> MessageOf(ReadOnlyMemory<byte> record)
    {
        ReplayEnvelope.TryRead(record.Span, out ReplayEnvelope envelope);
        return new Message<Null, byte[]>
        {
            Value = record[ReplayEnvelope.Bytes..].ToArray(),
            Headers =
            [
                Header("replay", envelope.Replay.ToString("N")),
                Header("run", Text(envelope.Run)),
                Header("chain", Text(envelope.Chain)),
                Header("hour", Text(envelope.Hour)),
                Header("partition", Text(envelope.Partition)),
                Header("offset", Text(envelope.Offset)),
                Header("timestamp", Text(envelope.Timestamp)),
                Header("taken", envelope.Taken ? "1" : "0"),
            ],
        };
    }

    public int GetLength(in KafkaRecord record) =>
        record.TryGetHeader(0, out ReadOnlySpan<byte> name, out _, out _) && name.SequenceEqual("replay"u8) ? ReplayEnvelope.Bytes + record.Value.Length : 0;

    public void Write(in KafkaRecord record, Span<byte> destination)
    {
        if (destination.IsEmpty)
        {
            return;
        }

        destination[..ReplayEnvelope.Bytes].Clear();
        record.Value.CopyTo(destination[ReplayEnvelope.Bytes..]);
        if (record.TryGetHeader(0, out _, out ReadOnlySpan<byte> id, out _)
            && Utf8Parser.TryParse(id, out Guid replay, out int used, 'N') && used == id.Length
            && TryNumber(in record, 1, "run"u8, out long run)
            && TryNumber(in record, 2, "chain"u8, out long chain)
            && TryNumber(in record, 3, "hour"u8, out long hour)
            && TryNumber(in record, 4, "partition"u8, out long partition)
            && TryNumber(in record, 5, "offset"u8, out long offset)
            && TryNumber(in record, 6, "timestamp"u8, out long timestamp)
            && TryNumber(in record, 7, "taken"u8, out long taken))
        {
            new ReplayEnvelope(replay, run, (int)chain, (int)hour, (int)partition, offset, timestamp, taken != 0).Write(destination);
        }
    }

    private static bool TryNumber(in KafkaRecord record, int index, ReadOnlySpan<byte> name, out long number)
    {
        number = 0;
        return record.TryGetHeader(index, out ReadOnlySpan<byte> found, out ReadOnlySpan<byte> value, out _)
            && found.SequenceEqual(name)
            && Utf8Parser.TryParse(value, out number, out int used)
            && used == value.Length;
    }

    private static Header Header(string name, string value) => new(name, Encoding.ASCII.GetBytes(value));

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
