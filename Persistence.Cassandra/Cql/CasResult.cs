namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>What became of a conditional write.</summary>
public enum CasOutcome
{
    /// <summary>Nobody can tell: the answer was lost, or the servers did not finish. It may be applied now, later or never.</summary>
    Unknown,

    /// <summary>The condition held and it was written.</summary>
    Applied,

    /// <summary>The condition did not hold and nothing was written.</summary>
    Rejected,
}

/// <summary>
/// The answer to a conditional write. After <see cref="CasOutcome.Unknown"/>, read the row at a serial consistency, which
/// completes or discards what is unfinished, and look for a value that only this attempt has written.
/// </summary>
public readonly struct CasResult
{
    private CasResult(CasOutcome outcome, CqlPage? rows, CqlException? fault)
    {
        Outcome = outcome;
        CurrentRows = rows ?? CqlPage.Empty;
        Fault = fault;
    }

    public CasOutcome Outcome { get; }

    public bool IsApplied => Outcome == CasOutcome.Applied;

    /// <summary>
    /// When rejected: the rows as they are; one for a single statement, and for a batch those that its conditions name. A row
    /// has the columns that the server chose to send, and perhaps none but <c>[applied]</c>, where there is no such row.
    /// </summary>
    public CqlPage CurrentRows { get; }

    /// <summary>Why nobody can tell.</summary>
    public CqlException? Fault { get; }

    /// <summary>When rejected: the first of <see cref="CurrentRows"/>.</summary>
    /// <exception cref="InvalidOperationException">It was not rejected.</exception>
    public CqlRow CurrentRow => Outcome == CasOutcome.Rejected && CurrentRows.Count > 0
        ? CurrentRows[0]
        : throw new InvalidOperationException($"The outcome is {Outcome}, there is no row");

    internal static CasResult Unknown(CqlException fault) => new(CasOutcome.Unknown, null, fault);

    /// <exception cref="InvalidOperationException">The answer is not that of a conditional statement.</exception>
    internal static CasResult Of(CqlPage page)
    {
        if (page.Count == 0 || !page.TryGetOrdinal("[applied]", out _))
        {
            throw new InvalidOperationException("The statement has no condition (IF ...): its answer does not say whether it was applied");
        }

        // Cassandra sends the row only when it rejects, Scylla always, one a statement; all agree on [applied].
        return page[0].Get<bool>("[applied]")
            ? new CasResult(CasOutcome.Applied, null, null)
            : new CasResult(CasOutcome.Rejected, page, null);
    }
}
