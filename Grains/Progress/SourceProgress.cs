namespace ClickAggregator.Grains.Progress;

/// <summary>
/// How far what is known to bring clicks into the log has brought them, for an honest <c>counted_until</c>: a click that
/// was accepted and is not in the log yet is not counted.
/// </summary>
/// <param name="AcceptedUntil">
/// For a moment: everything that was accepted before the answer was in the log at that moment; both in milliseconds since
/// the epoch. 0 where that is not known. Null where clicks are accepted by being put into the log.
/// </param>
public sealed record SourceProgress(Func<long, long>? AcceptedUntil)
{
    /// <summary>Until when accepted clicks are counted, if everything in the log at a moment is.</summary>
    public long Until(long countedUntil) => AcceptedUntil is null ? countedUntil : Math.Min(countedUntil, AcceptedUntil(countedUntil));
}
