using ClickAggregator.Persistence.Cassandra.Cql.Codecs;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>
/// The values of a statement, encoded as they are added, in the order of its question marks. Their types are held
/// against the server's before anything is sent. Not safe for several threads.
/// </summary>
/// <remarks>
/// long is a bigint, int an int, short a smallint, sbyte a tinyint; string, bool, double, float, decimal, BigInteger; Guid
/// is a uuid or timeuuid, DateTimeOffset a timestamp (to the millisecond), DateOnly a date, TimeOnly a time, IPAddress an inet,
/// byte[] and ReadOnlyMemory of bytes a blob; List, array and IReadOnlyList a list, HashSet and IReadOnlySet a set, Dictionary
/// and IReadOnlyDictionary a map; Nullable of these.
/// </remarks>
public sealed class CqlValues
{
    private readonly CqlBuffer _buffer = new(64);
    private CqlCodec[] _codecs = new CqlCodec[4];
    private int[] _offsets = new int[4];

    /// <summary>How many values there are.</summary>
    public int Count { get; private set; }

    internal ReadOnlySpan<byte> Encoded => _buffer.Span;

    /// <summary>Adds a value. A null writes a tombstone; see <see cref="CqlUnset"/>.</summary>
    /// <exception cref="NotSupportedException">The type is none of those above.</exception>
    public CqlValues Add<T>(T value)
    {
        CqlCodec<T> codec = CqlCodec<T>.Instance;
        if (Count == _codecs.Length)
        {
            Array.Resize(ref _codecs, Count * 2);
            Array.Resize(ref _offsets, Count * 2);
        }

        int start = _buffer.Length;
        try
        {
            codec.WriteValue(_buffer, value);
        }
        catch
        {
            _buffer.Truncate(start);
            throw;
        }

        _codecs[Count] = codec;
        _offsets[Count] = start;
        Count++;
        return this;
    }

    internal CqlCodec CodecAt(int index) => _codecs[index];

    /// <summary>A value without its length; false for null and unset.</summary>
    internal bool TryGetBytes(int index, out ReadOnlySpan<byte> bytes)
    {
        int end = index + 1 < Count ? _offsets[index + 1] : _buffer.Length;
        ReadOnlySpan<byte> value = _buffer.Span[_offsets[index]..end];
        bytes = value[4..];
        return (sbyte)value[0] >= 0;
    }
}
