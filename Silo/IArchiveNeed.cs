using ClickAggregator.ClickLog;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Silo;

/// <summary>How much of the click log the archive still needs, beside whoever else does (<see cref="IClickLogNeed"/>).</summary>
public interface IArchiveNeed
{
    /// <summary>The first offset of a partition that is needed; <see cref="long.MaxValue"/> for none.</summary>
    long FirstNeeded(int partition);
}

/// <summary>
/// Where the click log itself is archived. When it is nearly full its retention stands, whatever the archive needs: what that has not
/// got by then is lost to it (and noted as lost), but clicks are taken and counted.
/// </summary>
internal sealed class ArchivedClickLog(PartitionedClickLog log, ArchiveBoard board) : IArchiveNeed
{
    private const double NearlyFull = 0.8;
    private readonly string _id = log.LogId.ToString();

    public long FirstNeeded(int partition) => log.Bytes > log.MaxBytes * NearlyFull ? long.MaxValue : board.Needed(_id, partition, unknown: 0);
}

/// <summary>Where the click log was counted and archived until Kafka took over: it is archived to where it was closed.</summary>
internal sealed class ArchivedBeforeKafka(PartitionedClickLog log, ArchiveBoard board) : IArchiveNeed
{
    private readonly string _id = log.LogId.ToString();

    public long FirstNeeded(int partition) => board.Needed(_id, partition, unknown: long.MaxValue);
}
