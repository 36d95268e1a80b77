namespace ClickAggregator.Grains.Archive;

/// <summary>Where a chain's archive keeps its record.</summary>
public interface IArchiveRecordStore
{
    /// <summary>Reads it again from the store; null where there is none.</summary>
    Task<ArchiveRecord?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Writes it if nobody else wrote since this store last read or wrote it.</summary>
    /// <exception cref="Chain.ChainFencedException">Somebody did: another owner has the chain.</exception>
    Task WriteAsync(ArchiveRecord record, CancellationToken cancellationToken);
}

/// <summary>Which objects of the table hold a day's clicks of a chain: an index of the manifest, by UTC day since the epoch.</summary>
public interface IArchiveDays
{
    /// <summary>Applies what an entry changes; a repeat changes nothing.</summary>
    Task ApplyAsync(int chain, int day, DayChange change, CancellationToken cancellationToken);

    Task<DayIndex> ReadAsync(int chain, int day, CancellationToken cancellationToken);
}
