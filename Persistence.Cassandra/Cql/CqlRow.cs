using ClickAggregator.Persistence.Cassandra.Cql.Codecs;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>A row of a page; it may be kept, and keeps its page alive.</summary>
public readonly struct CqlRow
{
    private readonly CqlPage? _page;
    private readonly int _index;

    internal CqlRow(CqlPage page, int index)
    {
        _page = page;
        _index = index;
    }

    public IReadOnlyList<CqlColumn> Columns => Page.Columns;

    private CqlPage Page => _page ?? throw new InvalidOperationException("There is no row");

    /// <summary>A column's value.</summary>
    /// <exception cref="ArgumentException">There is no such column.</exception>
    /// <exception cref="InvalidCastException">It is null (and neither <typeparamref name="T"/> is Nullable nor the column a collection), or of another type.</exception>
    public T Get<T>(string column) => Get<T>(Ordinal(column));

    /// <inheritdoc cref="Get{T}(string)"/>
    public T Get<T>(int column)
    {
        CqlColumn of = Columns[column];
        CqlCodec<T> codec = Codec<T>(of);
        return TryGetBytes(column, of, out ReadOnlySpan<byte> bytes)
            ? codec.Read(of.Type, bytes)
            : codec.TryNull(out T? none) ? none : throw new InvalidCastException($"Column {of.Name} is null");
    }

    /// <summary>A column's value; the default of <typeparamref name="T"/> where it is null.</summary>
    public T? GetOrDefault<T>(string column)
    {
        int ordinal = Ordinal(column);
        CqlColumn of = Columns[ordinal];
        CqlCodec<T> codec = Codec<T>(of);
        return TryGetBytes(ordinal, of, out ReadOnlySpan<byte> bytes) ? codec.Read(of.Type, bytes) : default;
    }

    /// <exception cref="ArgumentException">There is no such column.</exception>
    public bool IsNull(string column) => !Page.TryGetBytes(_index, Ordinal(column), out _);

    /// <summary>Whether the result has such a column: that of a conditional statement may lack it.</summary>
    public bool Has(string column) => Page.TryGetOrdinal(column, out _);

    /// <summary>A value as the server sent it, of any type; false for null.</summary>
    public bool TryGetBytes(string column, out ReadOnlySpan<byte> bytes) => Page.TryGetBytes(_index, Ordinal(column), out bytes);

    private static CqlCodec<T> Codec<T>(CqlColumn column)
    {
        CqlCodec<T> codec = CqlCodec<T>.Instance;
        return codec.Accepts(column.Type)
            ? codec
            : throw new InvalidCastException($"Column {column.Name} is {column.TypeName}, which cannot be read as {typeof(T)}");
    }

    private bool TryGetBytes(int ordinal, CqlColumn column, out ReadOnlySpan<byte> bytes) =>
        Page.TryGetBytes(_index, ordinal, out bytes) && (bytes.Length > 0 || !column.Type.IsNullWhenEmpty);

    private int Ordinal(string column) => Page.TryGetOrdinal(column, out int ordinal)
        ? ordinal
        : throw new ArgumentException($"There is no column {column}; there are {string.Join(", ", Columns.Select(each => each.Name))}", nameof(column));
}
