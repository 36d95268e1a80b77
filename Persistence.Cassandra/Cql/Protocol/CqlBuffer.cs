using System.Buffers.Binary;
using System.Text;

namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol;

/// <summary>Bytes that are being written in the protocol's notations (section 3). Kept and used again; not safe for several threads.</summary>
internal sealed class CqlBuffer(int capacity = 256)
{
    // What one large request needed is not kept for ever.
    private const int KeptBytes = 1 << 20;

    private byte[] _bytes = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    /// <summary>The next bytes, to be filled by the caller.</summary>
    public Span<byte> Take(int count)
    {
        int needed = checked(Length + count);
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(needed, (int)Math.Min(_bytes.Length * 2L, Array.MaxLength)));
        }

        Span<byte> taken = _bytes.AsSpan(Length, count);
        Length = needed;
        return taken;
    }

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteShort(int value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), checked((ushort)value));

    public void WriteInt(int value) => BinaryPrimitives.WriteInt32BigEndian(Take(4), value);

    public void WriteLong(long value) => BinaryPrimitives.WriteInt64BigEndian(Take(8), value);

    public void WriteRaw(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>[string]</summary>
    public void WriteString(string value)
    {
        WriteShort(Encoding.UTF8.GetByteCount(value));
        WriteText(value);
    }

    /// <summary>[long string]</summary>
    public void WriteLongString(string value)
    {
        WriteInt(Encoding.UTF8.GetByteCount(value));
        WriteText(value);
    }

    /// <summary>[short bytes]</summary>
    public void WriteShortBytes(ReadOnlySpan<byte> value)
    {
        WriteShort(value.Length);
        WriteRaw(value);
    }

    /// <summary>[bytes]</summary>
    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteInt(value.Length);
        WriteRaw(value);
    }

    /// <summary>[bytes] that are not there.</summary>
    public void WriteNull() => WriteInt(-1);

    /// <summary>Begins [bytes] whose length is not known yet; to be ended with <see cref="EndBytes"/>.</summary>
    public int BeginBytes()
    {
        int start = Length;
        WriteInt(0);
        return start;
    }

    public void EndBytes(int start) => PatchInt(start, Length - start - sizeof(int));

    /// <summary>[string map]</summary>
    public void WriteStringMap(params ReadOnlySpan<(string Key, string Value)> entries)
    {
        WriteShort(entries.Length);
        foreach ((string key, string value) in entries)
        {
            WriteString(key);
            WriteString(value);
        }
    }

    /// <summary>UTF-8 without a length.</summary>
    public void WriteText(string value) => Encoding.UTF8.GetBytes(value, Take(Encoding.UTF8.GetByteCount(value)));

    /// <summary>Fills in a length that was not known before.</summary>
    public void PatchInt(int at, int value) => BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(at, 4), value);

    /// <summary>Takes back what was written from there on.</summary>
    public void Truncate(int length) => Length = length;

    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > KeptBytes)
        {
            _bytes = new byte[KeptBytes];
        }
    }
}
