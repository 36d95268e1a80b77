using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>The id of a grain as a column: its text, provided that the text is that of no other id.</summary>
internal static class GrainText
{
    /// <exception cref="ArgumentException">The id has bytes that are no UTF-8, or its type has a slash: the text could be another's.</exception>
    public static string Of(GrainId grain)
    {
        string text = grain.ToString();
        return GrainId.TryParse(text, out GrainId parsed) && parsed.Equals(grain)
            ? text
            : throw new ArgumentException($"{text} cannot be stored: that is not the text of this grain's id alone", nameof(grain));
    }
}
