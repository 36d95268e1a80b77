using System.Text;

namespace ClickAggregator.Grains.Archive;

/// <summary>A column of short texts in UTF-8, side by side in one buffer; an empty one means absent. Not safe for concurrent use.</summary>
public sealed class Utf8Column
{
    private byte[] _bytes = new byte[1024];
    private int[] _starts = new int[64];
    private int[] _ends = new int[64];
    private int _length;

    /// <summary>How many texts it holds.</summary>
    public int Count { get; private set; }

    /// <summary>All bytes; a text that was added again stands there once.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Where in <see cref="Bytes"/> each text starts.</summary>
    public ReadOnlySpan<int> Starts => _starts.AsSpan(0, Count);

    /// <summary>Where in <see cref="Bytes"/> each text ends.</summary>
    public ReadOnlySpan<int> Ends => _ends.AsSpan(0, Count);

    /// <summary>A text; it stays where it is until the column is cleared or grows.</summary>
    public ReadOnlySpan<byte> this[int row]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Count, nameof(row));
            return _bytes.AsSpan(_starts[row], _ends[row] - _starts[row]);
        }
    }

    /// <summary>Whether a text is known to be the one before it, which is there; where not, it may be the same nevertheless.</summary>
    public bool IsAgain(int row) => Starts[row] == _starts[row - 1] && _ends[row] == _ends[row - 1];

    public void Add(ReadOnlySpan<byte> text) => text.CopyTo(Add(text.Length));

    /// <summary>Adds a text of so many bytes, which are to be filled in.</summary>
    public Span<byte> Add(int length)
    {
        Reserve(1);
        if (_length + length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + length));
        }

        Span<byte> text = _bytes.AsSpan(_length, length);
        _starts[Count] = _length;
        _length += length;
        _ends[Count++] = _length;
        return text;
    }

    /// <summary>Adds the last text once more.</summary>
    public void AddAgain()
    {
        Reserve(1);
        _starts[Count] = _starts[Count - 1];
        _ends[Count] = _ends[Count - 1];
        Count++;
    }

    /// <summary>Adds texts that are absent.</summary>
    public void AddAbsent(int count)
    {
        Reserve(count);
        _starts.AsSpan(Count, count).Fill(_length);
        _ends.AsSpan(Count, count).Fill(_length);
        Count += count;
    }

    /// <summary>Forgets all texts and keeps the memory.</summary>
    public void Clear()
    {
        Count = 0;
        _length = 0;
    }

    /// <summary>A text as a string; null where absent.</summary>
    public string? Text(int row)
    {
        ReadOnlySpan<byte> text = this[row];
        return text.IsEmpty ? null : Encoding.UTF8.GetString(text);
    }

    private void Reserve(int count)
    {
        if (Count + count > _ends.Length)
        {
            int size = Math.Max(_ends.Length * 2, Count + count);
            Array.Resize(ref _starts, size);
            Array.Resize(ref _ends, size);
        }
    }
}
