namespace ClickAggregator.Grains.Archive;

/// <summary>A chain that is archived: one partition of one log, under the chain's number.</summary>
public sealed record ArchiveChain(string Log, int Partition, int Number)
{
    internal FileOrigin Origin => new(Log, Partition, Number);
}

/// <summary>By which rule repeats are marked: the one that they are counted by.</summary>
/// <param name="Horizon">How much log time an id is remembered.</param>
/// <param name="MaxIds">How many records an id is remembered.</param>
public sealed record DuplicateRule(TimeSpan Horizon, int MaxIds);
