using System.Collections;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>Rows that came in one answer; none for a statement that has no result. A page in the middle may be empty.</summary>
public sealed class CqlPage : IReadOnlyList<CqlRow>
{
    internal static readonly CqlPage Empty = new([], [], [], 0, null);

    private readonly CqlColumn[] _columns;
    private readonly byte[] _body;
    // Where each value lies in the body, and how long it is (negative for null), row by row.
    private readonly (int Offset, int Length)[] _values;
    private readonly int _rows;

    internal CqlPage(CqlColumn[] columns, byte[] body, (int Offset, int Length)[] values, int rows, byte[]? pagingState)
    {
        _columns = columns;
        _body = body;
        _values = values;
        _rows = rows;
        PagingState = pagingState;
    }

    public IReadOnlyList<CqlColumn> Columns => _columns;

    public int Count => _rows;

    /// <summary>Whether more pages follow; the only sign of it, whatever the number of rows.</summary>
    public bool HasMorePages => PagingState is not null;

    /// <summary>What the next page is asked with; null on the last page. The server's own, opaque.</summary>
    public ReadOnlyMemory<byte>? NextPage => PagingState;

    internal byte[]? PagingState { get; }

    public CqlRow this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _rows);
            return new CqlRow(this, index);
        }
    }

    public IEnumerator<CqlRow> GetEnumerator()
    {
        for (int index = 0; index < _rows; index++)
        {
            yield return new CqlRow(this, index);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal bool TryGetBytes(int row, int column, out ReadOnlySpan<byte> bytes)
    {
        (int offset, int length) = _values[(row * _columns.Length) + column];
        bytes = length < 0 ? default : _body.AsSpan(offset, length);
        return length >= 0;
    }

    internal bool TryGetOrdinal(string column, out int ordinal)
    {
        for (ordinal = 0; ordinal < _columns.Length; ordinal++)
        {
            if (string.Equals(_columns[ordinal].Name, column, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
