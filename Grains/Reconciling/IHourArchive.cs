namespace ClickAggregator.Grains.Reconciling;

/// <summary>What of a chain is archived, and where: the archive grains, for a recount.</summary>
public interface IHourArchive
{
    /// <summary>How far a chain is archived.</summary>
    Task<ArchiveProgress> GetProgressAsync(int chain);

    /// <summary>See <see cref="IArchiveGrain.GetLogEndAsync"/>.</summary>
    Task<long?> GetLogEndAsync(int chain);

    /// <summary>The objects that hold an hour's clicks of a chain.</summary>
    Task<ArchivedHour> GetHourAsync(int chain, int hour);
}
