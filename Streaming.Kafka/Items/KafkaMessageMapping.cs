using System.Buffers.Binary;
using System.Text;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// The whole record: key, value and headers. Its bytes in a slab are read back with <see cref="Read"/>: the lengths of key
/// and value and the number of headers, then key and value, then each header as two lengths, name and value. Lengths are
/// four bytes, little-endian; -1 is none at all.
/// </summary>
public sealed class KafkaMessageMapping : IRecordMapping
{
    private const int None = -1;
    private const int HeadBytes = 3 * sizeof(int);

    public static KafkaMessageMapping Instance { get; } = new();

    private KafkaMessageMapping()
    {
    }

    public int GetLength(in KafkaRecord record)
    {
        int length = HeadBytes + record.Key.Length + record.Value.Length;
        for (int index = 0; record.TryGetHeader(index, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out _); index++)
        {
            length += (2 * sizeof(int)) + name.Length + value.Length;
        }

        return length;
    }

    public void Write(in KafkaRecord record, Span<byte> destination)
    {
        var to = new Destination(destination);
        to.Length(record.Key, record.HasNoKey);
        to.Length(record.Value, record.IsNull);
        Span<byte> count = to.Take(sizeof(int));
        to.Bytes(record.Key);
        to.Bytes(record.Value);
        int headers = 0;
        for (; record.TryGetHeader(headers, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out bool isNull); headers++)
        {
            to.Length(name, isNone: false);
            to.Length(value, isNull);
            to.Bytes(name);
            to.Bytes(value);
        }

        BinaryPrimitives.WriteInt32LittleEndian(count, headers);
    }

    /// <summary>The record that was written.</summary>
    /// <exception cref="InvalidDataException">The bytes are not of this mapping.</exception>
    public static KafkaMessage Read(ReadOnlySpan<byte> bytes)
    {
        var from = new Source(bytes);
        int keyLength = from.Length();
        int valueLength = from.Length();
        int count = from.Length();
        byte[]? key = from.Bytes(keyLength);
        byte[]? value = from.Bytes(valueLength);
        // Each one takes two lengths: a damaged count must not ask for gigabytes.
        KafkaHeader[]? headers = count > 0 && count <= from.Left / (2 * sizeof(int)) ? new KafkaHeader[count] : null;
        for (int index = 0; index < headers?.Length; index++)
        {
            int nameLength = from.Length();
            int length = from.Length();
            headers[index] = new KafkaHeader(Encoding.UTF8.GetString(from.Bytes(nameLength) ?? []), from.Bytes(length));
        }

        return from.Left == 0 && (count == 0 || headers is not null)
            ? new KafkaMessage(value, key, headers)
            : throw new InvalidDataException("the bytes are not a whole record");
    }

    /// <summary>The value alone, without copying it; false where the record has none.</summary>
    /// <exception cref="InvalidDataException">The bytes are not of this mapping.</exception>
    internal static bool TryReadValue(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> value)
    {
        var from = new Source(bytes);
        int keyLength = from.Length();
        int valueLength = from.Length();
        _ = from.Length();
        from.Skip(keyLength);
        value = from.Skip(valueLength);
        return valueLength != None;
    }

    private ref struct Destination(Span<byte> rest)
    {
        private Span<byte> _rest = rest;

        public Span<byte> Take(int length)
        {
            Span<byte> taken = _rest[..length];
            _rest = _rest[length..];
            return taken;
        }

        public void Length(ReadOnlySpan<byte> bytes, bool isNone) =>
            BinaryPrimitives.WriteInt32LittleEndian(Take(sizeof(int)), isNone ? None : bytes.Length);

        public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));
    }

    private ref struct Source(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public readonly int Left => _rest.Length;

        public int Length() => BinaryPrimitives.ReadInt32LittleEndian(Skip(sizeof(int)));

        public byte[]? Bytes(int length) => length == None ? null : Skip(length).ToArray();

        public ReadOnlySpan<byte> Skip(int length)
        {
            if (length == None)
            {
                return default;
            }

            if (length < 0 || length > _rest.Length)
            {
                throw new InvalidDataException("the bytes are not a whole record");
            }

            ReadOnlySpan<byte> skipped = _rest[..length];
            _rest = _rest[length..];
            return skipped;
        }
    }
}
