using System.Buffers.Binary;
using System.Text;

namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol;

/// <summary>
/// Reads the protocol's notations (section 3). Bytes that end too early are a <see cref="CqlProtocolException"/>; bytes that
/// are left over are allowed, the specification reserves them.
/// </summary>
internal ref struct CqlReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Where the next byte is read.</summary>
    public int Position { get; private set; }

    public readonly int Remaining => _bytes.Length - Position;

    public ReadOnlySpan<byte> ReadRaw(int count)
    {
        if (count < 0 || count > Remaining)
        {
            throw new CqlProtocolException($"An answer ends too early: {count} bytes are announced at {Position}, {Remaining} are there");
        }

        ReadOnlySpan<byte> taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }

    public byte ReadByte() => ReadRaw(1)[0];

    public int ReadShort() => BinaryPrimitives.ReadUInt16BigEndian(ReadRaw(2));

    public int ReadInt() => BinaryPrimitives.ReadInt32BigEndian(ReadRaw(4));

    public string ReadString() => Encoding.UTF8.GetString(ReadRaw(ReadShort()));

    public ReadOnlySpan<byte> ReadShortBytes() => ReadRaw(ReadShort());

    /// <summary>[bytes]; false for null.</summary>
    public bool TryReadBytes(out ReadOnlySpan<byte> value)
    {
        int length = ReadInt();
        value = length < 0 ? default : ReadRaw(length);
        return length >= 0;
    }

    public string[] ReadStringList()
    {
        int count = ReadShort();
        EnsureRoom(count, 2);
        string[] list = new string[count];
        for (int index = 0; index < count; index++)
        {
            list[index] = ReadString();
        }

        return list;
    }

    public Dictionary<string, string[]> ReadStringMultimap()
    {
        int count = ReadShort();
        EnsureRoom(count, 4);
        var map = new Dictionary<string, string[]>(StringComparer.Ordinal);
        for (int index = 0; index < count; index++)
        {
            string key = ReadString();
            map[key] = ReadStringList();
        }

        return map;
    }

    public void SkipBytesMap()
    {
        for (int left = ReadShort(); left > 0; left--)
        {
            ReadRaw(ReadShort());
            TryReadBytes(out _);
        }
    }

    /// <summary>A count is not believed before the bytes for so many things are there: no room is made for a lie.</summary>
    public readonly void EnsureRoom(long count, int leastBytesEach)
    {
        if (count < 0 || count * leastBytesEach > Remaining)
        {
            throw new CqlProtocolException($"An answer announces {count} elements at {Position} where {Remaining} bytes are left");
        }
    }
}
