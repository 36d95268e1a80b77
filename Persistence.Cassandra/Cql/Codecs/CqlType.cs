using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>The type of a column, with those of its elements (section 4.2.5.2, [option]).</summary>
internal sealed class CqlType
{
    // No type of ours is nested more than a few levels; one that is would overflow the stack.
    private const int MaxDepth = 32;

    private static readonly CqlType?[] s_natives = new CqlType?[0x20];
    private readonly string _custom;

    private CqlType(CqlTypeCode code, CqlType[] elements, string custom)
    {
        Code = code;
        Elements = elements;
        _custom = custom;
    }

    public CqlTypeCode Code { get; }

    /// <summary>Of a list or set its element, of a map its key and value, of a tuple its parts.</summary>
    public IReadOnlyList<CqlType> Elements { get; }

    /// <summary>Whether no bytes, which old clients could write into any column, mean nothing here.</summary>
    public bool IsNullWhenEmpty => Code is not (CqlTypeCode.Ascii or CqlTypeCode.Varchar or CqlTypeCode.Blob or CqlTypeCode.Custom);

    public static CqlType Of(CqlTypeCode code, params CqlType[] elements) =>
        elements.Length == 0 && (int)code < s_natives.Length
            ? s_natives[(int)code] ??= new CqlType(code, [], "")
            : new CqlType(code, elements, "");

    public static CqlType Read(ref CqlReader reader, int depth = 0)
    {
        if (depth > MaxDepth)
        {
            throw new CqlProtocolException($"A type is nested more than {MaxDepth} levels deep");
        }

        var code = (CqlTypeCode)reader.ReadShort();
        switch (code)
        {
            case CqlTypeCode.Custom:
                return new CqlType(code, [], reader.ReadString());
            case CqlTypeCode.List or CqlTypeCode.Set:
                return new CqlType(code, [Read(ref reader, depth + 1)], "");
            case CqlTypeCode.Map:
                CqlType key = Read(ref reader, depth + 1);
                return new CqlType(code, [key, Read(ref reader, depth + 1)], "");
            case CqlTypeCode.Tuple:
                var parts = new CqlType[Count(ref reader, 2)];
                for (int index = 0; index < parts.Length; index++)
                {
                    parts[index] = Read(ref reader, depth + 1);
                }

                return new CqlType(code, parts, "");
            case CqlTypeCode.Udt:
                string name = $"{reader.ReadString()}.{reader.ReadString()}";
                for (int left = Count(ref reader, 4); left > 0; left--)
                {
                    reader.ReadString();
                    Read(ref reader, depth + 1);
                }

                return new CqlType(code, [], name);
            case var _ when (int)code < s_natives.Length:
                return Of(code);
            default:
                throw new CqlProtocolException($"A column is of the unknown type {(int)code:x4}");
        }
    }

    public override string ToString() => Code switch
    {
        CqlTypeCode.Custom => $"'{_custom}'",
        CqlTypeCode.Udt => _custom,
        CqlTypeCode.Varchar => "text",
        _ when Elements.Count > 0 => $"{Name(Code)}<{string.Join(", ", Elements)}>",
        _ => Name(Code),
    };

    private static string Name(CqlTypeCode code) => code.ToString().ToLowerInvariant();

    private static int Count(ref CqlReader reader, int leastBytesEach)
    {
        int count = reader.ReadShort();
        reader.EnsureRoom(count, leastBytesEach);
        return count;
    }
}

/// <summary>The numbers of the types (section 4.2.5.2).</summary>
internal enum CqlTypeCode
{
    Custom = 0x00,
    Ascii = 0x01,
    Bigint = 0x02,
    Blob = 0x03,
    Boolean = 0x04,
    Counter = 0x05,
    Decimal = 0x06,
    Double = 0x07,
    Float = 0x08,
    Int = 0x09,
    Timestamp = 0x0B,
    Uuid = 0x0C,
    Varchar = 0x0D,
    Varint = 0x0E,
    Timeuuid = 0x0F,
    Inet = 0x10,
    Date = 0x11,
    Time = 0x12,
    Smallint = 0x13,
    Tinyint = 0x14,
    List = 0x20,
    Map = 0x21,
    Set = 0x22,
    Udt = 0x30,
    Tuple = 0x31,
}
