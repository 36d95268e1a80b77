using System.Runtime.CompilerServices;
using System.Text;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>A statement written as an interpolated string: identifiers become text, whatever else stands in a hole becomes a bound value.</summary>
[InterpolatedStringHandler]
public readonly struct CqlInterpolation(int literalLength, int formattedCount)
{
    private readonly StringBuilder _text = new(literalLength + formattedCount);
    private readonly CqlValues _values = new();

    public void AppendLiteral(string value) => _text.Append(value);

    public void AppendFormatted(CqlIdentifier value) => _text.Append(value);

    public void AppendFormatted<T>(T value)
    {
        _text.Append('?');
        _values.Add(value);
    }

    /// <param name="idempotent">See <see cref="CqlStatement.IsIdempotent"/>.</param>
    public CqlCommand ToCommand(bool idempotent) => new CqlStatement(_text.ToString(), idempotent).BindAll(_values);
}
