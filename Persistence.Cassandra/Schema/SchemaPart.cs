namespace ClickAggregator.Persistence.Cassandra.Schema;

/// <summary>Tables that belong together, version by version. A version that was released is never changed, only followed.</summary>
/// <param name="Name">Whose tables these are, for example <c>orleans</c>.</param>
/// <param name="Versions">What each version adds to the one before; the first is 1.</param>
public sealed record SchemaPart(string Name, IReadOnlyList<IReadOnlyList<SchemaStep>> Versions)
{
    /// <summary>The version that this build writes.</summary>
    public int Current => Versions.Count;
}
