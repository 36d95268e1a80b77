using System.Diagnostics.CodeAnalysis;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>
/// The name of a keyspace, table or column that may stand in the text of a statement: 1 to 48 of the characters
/// <c>a-z 0-9 _</c>, a letter first. Such a name means the same with and without quotes; it is written with them, so that
/// it may also be a reserved word.
/// </summary>
public readonly record struct CqlIdentifier
{
    internal const string Rule = "must be 1 to 48 of the characters a-z 0-9 _, a letter first";

    private CqlIdentifier(string name) => Name = name;

    /// <summary>The name, without quotes.</summary>
    public string Name { get; }

    /// <exception cref="FormatException">The text is no such name.</exception>
    public static CqlIdentifier Parse(string text) =>
        TryParse(text, out CqlIdentifier identifier) ? identifier : throw new FormatException($"'{text}' is no identifier: it {Rule}");

    public static bool TryParse([NotNullWhen(true)] string? text, out CqlIdentifier identifier)
    {
        bool fits = text is { Length: >= 1 and <= 48 } && char.IsAsciiLetterLower(text[0])
            && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '_');
        identifier = fits ? new CqlIdentifier(text!) : default;
        return fits;
    }

    /// <summary>As it stands in a statement.</summary>
    public override string ToString() => $"\"{Name}\"";
}
