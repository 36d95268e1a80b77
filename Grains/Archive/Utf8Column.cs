using System.Text;

namespace ClickAggregator.Grains.Archive;

/// <summary>A column of short texts in UTF-8, side by side in one buffer; an empty one means absent. Not safe for concurrent use.</summary>
public sealed class Utf8Column
{
    private byte[] _bytes = new byte[1024];
    private int[] _ends = new int[64];

    /// <summary>How many texts it holds.</summary>
    public int Count { get; private set; }

    /// <summary>All bytes, side by side.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Count == 0 ? 0 : _ends[Count - 1]);

    /// <summary>Where in <see cref="Bytes"/> each text ends, and the next one starts.</summary>
    public ReadOnlySpan<int> Ends => _ends.AsSpan(0, Count);

    /// <summary>A text; it stays where it is until the column is cleared or grows.</summary>
    public ReadOnlySpan<byte> this[int row]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Count, nameof(row));
            int start = row == 0 ? 0 : _ends[row - 1];
            return _bytes.AsSpan(start, _ends[row] - start);
        }
    }

    public void Add(ReadOnlySpan<byte> text)
    {
        int start = Count == 0 ? 0 : _ends[Count - 1];
        if (Count == _ends.Length)
        {
            Array.Resize(ref _ends, Count * 2);
        }

        if (start + text.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, start + text.Length));
        }

        text.CopyTo(_bytes.AsSpan(start));
        _ends[Count++] = start + text.Length;
    }

    /// <summary>Forgets all texts and keeps the memory.</summary>
    public void Clear() => Count = 0;

    /// <summary>A text as a string; null where absent.</summary>
    public string? Text(int row)
    {
        ReadOnlySpan<byte> text = this[row];
        return text.IsEmpty ? null : Encoding.UTF8.GetString(text);
    }
}
