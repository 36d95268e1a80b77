using System.Buffers;
using System.Buffers.Binary;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>The types of Thrift's compact protocol, as they stand in the lower half of a field's first byte.</summary>
/// <remarks>https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md</remarks>
internal enum ThriftType : byte
{
    Stop = 0,
    True = 1,
    False = 2,
    Byte = 3,
    Int16 = 4,
    Int32 = 5,
    Int64 = 6,
    Double = 7,
    Binary = 8,
    List = 9,
    Struct = 12,
}

/// <summary>One value of a footer, whatever it means: what is not touched is written back as it was.</summary>
internal sealed class ThriftValue
{
    private const int MaxDepth = 32;

    private ThriftValue(ThriftType type) => Type = type;

    public ThriftType Type { get; private init; }

    /// <summary>A whole number; of a double its bits.</summary>
    public long Number { get; private init; }

    public byte[] Bytes { get; private init; } = [];

    /// <summary>A list's items.</summary>
    public List<ThriftValue> Items { get; } = [];

    /// <summary>A structure's fields by their numbers.</summary>
    public SortedDictionary<short, ThriftValue> Fields { get; } = [];

    public static ThriftValue Int32(int value) => new(ThriftType.Int32) { Number = value };

    public static ThriftValue Int64(long value) => new(ThriftType.Int64) { Number = value };

    public static ThriftValue Binary(byte[] value) => new(ThriftType.Binary) { Bytes = value };

    public static ThriftValue Struct(params (short Field, ThriftValue Value)[] fields)
    {
        var value = new ThriftValue(ThriftType.Struct);
        foreach ((short field, ThriftValue content) in fields)
        {
            value.Fields[field] = content;
        }

        return value;
    }

    /// <summary>A field of a structure.</summary>
    /// <exception cref="InvalidDataException">It is not there.</exception>
    public ThriftValue this[short field] => Fields.TryGetValue(field, out ThriftValue? value)
        ? value
        : throw new InvalidDataException($"field {field} is missing");

    /// <summary>Reads a structure, and says where it ends.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static ThriftValue ReadStruct(ReadOnlySpan<byte> bytes, out int length)
    {
        int at = 0;
        ThriftValue value = Read(bytes, ref at, ThriftType.Struct, 0);
        length = at;
        return value;
    }

    /// <summary>Writes it, without a header of its own.</summary>
    public void Write(IBufferWriter<byte> to)
    {
        switch (Type)
        {
            case ThriftType.Byte:
                Put(to, (byte)Number);
                break;
            case ThriftType.True:
            case ThriftType.False:
                Put(to, (byte)Type);
                break;
            case ThriftType.Int16:
            case ThriftType.Int32:
            case ThriftType.Int64:
                PutVarint(to, ((ulong)Number << 1) ^ (ulong)(Number >> 63));
                break;
            case ThriftType.Double:
                BinaryPrimitives.WriteInt64LittleEndian(to.GetSpan(8), Number);
                to.Advance(8);
                break;
            case ThriftType.Binary:
                PutVarint(to, (ulong)Bytes.Length);
                to.Write(Bytes);
                break;
            case ThriftType.List:
                WriteList(to);
                break;
            case ThriftType.Struct:
                WriteFields(to);
                break;
            default:
                throw new InvalidDataException($"type {Type}");
        }
    }

    private ThriftType ItemType { get; init; } = ThriftType.Struct;

    private void WriteList(IBufferWriter<byte> to)
    {
        if (Items.Count < 15)
        {
            Put(to, (byte)((Items.Count << 4) | (byte)ItemType));
        }
        else
        {
            Put(to, (byte)(0xf0 | (byte)ItemType));
            PutVarint(to, (ulong)Items.Count);
        }

        foreach (ThriftValue item in Items)
        {
            item.Write(to);
        }
    }

    private void WriteFields(IBufferWriter<byte> to)
    {
        short before = 0;
        foreach ((short field, ThriftValue value) in Fields)
        {
            int step = field - before;
            if (step is >= 1 and <= 15)
            {
                Put(to, (byte)((step << 4) | (byte)value.Type));
            }
            else
            {
                Put(to, (byte)value.Type);
                PutVarint(to, (ulong)(ushort)((field << 1) ^ (field >> 15)));
            }

            before = field;
            if (value.Type is not (ThriftType.True or ThriftType.False))
            {
                value.Write(to);
            }
        }

        Put(to, 0);
    }

    private static ThriftValue Read(ReadOnlySpan<byte> bytes, ref int at, ThriftType type, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new InvalidDataException("too deep");
        }

        switch (type)
        {
            case ThriftType.True:
            case ThriftType.False:
                return new ThriftValue(type);
            case ThriftType.Byte:
                return new ThriftValue(type) { Number = Take(bytes, ref at, 1)[0] };
            case ThriftType.Int16:
            case ThriftType.Int32:
            case ThriftType.Int64:
                ulong zigzag = TakeVarint(bytes, ref at);
                return new ThriftValue(type) { Number = (long)(zigzag >> 1) ^ -(long)(zigzag & 1) };
            case ThriftType.Double:
                return new ThriftValue(type) { Number = BinaryPrimitives.ReadInt64LittleEndian(Take(bytes, ref at, 8)) };
            case ThriftType.Binary:
                return new ThriftValue(type) { Bytes = Take(bytes, ref at, TakeVarint(bytes, ref at)).ToArray() };
            case ThriftType.List:
                return ReadList(bytes, ref at, depth);
            case ThriftType.Struct:
                return ReadFields(bytes, ref at, depth);
            default:
                throw new InvalidDataException($"type {type}");
        }
    }

    private static ThriftValue ReadList(ReadOnlySpan<byte> bytes, ref int at, int depth)
    {
        byte head = Take(bytes, ref at, 1)[0];
        ulong count = (ulong)(head >> 4);
        if (count == 15)
        {
            count = TakeVarint(bytes, ref at);
        }

        var list = new ThriftValue(ThriftType.List) { ItemType = (ThriftType)(head & 15) };
        for (ulong n = 0; n < count; n++)
        {
            // In a list a truth value is a byte of its own.
            ThriftType type = list.ItemType is ThriftType.True or ThriftType.False ? (ThriftType)Take(bytes, ref at, 1)[0] : list.ItemType;
            list.Items.Add(Read(bytes, ref at, type, depth + 1));
        }

        return list;
    }

    private static ThriftValue ReadFields(ReadOnlySpan<byte> bytes, ref int at, int depth)
    {
        var value = new ThriftValue(ThriftType.Struct);
        int field = 0;
        while (true)
        {
            byte head = Take(bytes, ref at, 1)[0];
            var type = (ThriftType)(head & 15);
            if (type == ThriftType.Stop)
            {
                return value;
            }

            int step = head >> 4;
            if (step == 0)
            {
                ulong zigzag = TakeVarint(bytes, ref at);
                field = (int)(zigzag >> 1) ^ -(int)(zigzag & 1);
            }
            else
            {
                field += step;
            }

            if (field is < short.MinValue or > short.MaxValue || !value.Fields.TryAdd((short)field, Read(bytes, ref at, type, depth + 1)))
            {
                throw new InvalidDataException($"field {field}");
            }
        }
    }

    private static ReadOnlySpan<byte> Take(ReadOnlySpan<byte> bytes, ref int at, ulong count)
    {
        if (count > (ulong)(bytes.Length - at))
        {
            throw new InvalidDataException("it ends early");
        }

        ReadOnlySpan<byte> taken = bytes.Slice(at, (int)count);
        at += (int)count;
        return taken;
    }

    private static ulong TakeVarint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Take(bytes, ref at, 1)[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("a number is too long");
    }

    private static void Put(IBufferWriter<byte> to, byte value)
    {
        to.GetSpan(1)[0] = value;
        to.Advance(1);
    }

    private static void PutVarint(IBufferWriter<byte> to, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            Put(to, (byte)(value | 0x80));
        }

        Put(to, (byte)value);
    }
}
