namespace ClickAggregator.Persistence.Cassandra.Cql.Requests;

/// <summary>What the servers know of a statement. The id is the same on every node.</summary>
/// <param name="Text">The statement.</param>
/// <param name="Id">The server's name for it.</param>
/// <param name="Values">What each question mark stands for.</param>
/// <param name="Routing">Which of them are the parts of the partition key; empty where not all are bound.</param>
internal sealed record PreparedStatement(string Text, byte[] Id, CqlColumn[] Values, int[] Routing)
{
    /// <summary>The keyspace of its table; null where nothing is bound.</summary>
    public string? Keyspace => Values.Length > 0 ? Values[0].Keyspace : null;

    /// <summary>Holds the values against what the statement asks for.</summary>
    /// <exception cref="ArgumentException">There are more or fewer, or one is of another type.</exception>
    public void Check(CqlValues values)
    {
        if (values.Count != Values.Length)
        {
            throw new ArgumentException($"{Values.Length} values are asked for and {values.Count} are bound: {Text}");
        }

        for (int index = 0; index < Values.Length; index++)
        {
            if (!values.CodecAt(index).Accepts(Values[index].Type))
            {
                throw new ArgumentException(
                    $"Value {index + 1} ({Values[index].Name}) is {Values[index].TypeName}, which {values.CodecAt(index).Type} cannot be written to: {Text}");
            }
        }
    }
}
