using System.Runtime.CompilerServices;
using System.Text;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>The text of a statement; into its holes go identifiers and nothing else.</summary>
[InterpolatedStringHandler]
public readonly struct CqlText(int literalLength, int formattedCount)
{
    private readonly StringBuilder _text = new(literalLength + (formattedCount * 16));

    public void AppendLiteral(string value) => _text.Append(value);

    public void AppendFormatted(CqlIdentifier value) => _text.Append(value);

    public override string ToString() => _text.ToString();
}
