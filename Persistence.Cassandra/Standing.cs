namespace ClickAggregator.Persistence.Cassandra;

/// <summary>What a row, read at a serial consistency, says about a conditional write.</summary>
public enum Standing
{
    /// <summary>It is as before: the write was not applied, or not yet.</summary>
    Unchanged,

    /// <summary>It bears what only this write could have written.</summary>
    Mine,

    /// <summary>Somebody else has changed it.</summary>
    Others,
}
