using ClickAggregator.Grains.Chain;
using Orleans.Storage;

namespace ClickAggregator.Grains.Archive;

/// <summary>What the archive's grain keeps: the record.</summary>
public sealed class ArchiveDocument
{
    public ArchiveRecord? Archive { get; set; }
}

/// <summary>The record as the state of its grain: the ETag makes a write compare-and-set.</summary>
internal sealed class ArchiveStateStore(IPersistentState<ArchiveDocument> state) : IArchiveRecordStore
{
    /// <summary>The record as it is known to be stored.</summary>
    public ArchiveRecord? Known { get; private set; } = state.State.Archive;

    public async Task<ArchiveRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        await state.ReadStateAsync(cancellationToken);
        return Known = state.State.Archive;
    }

    public async Task WriteAsync(ArchiveRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        state.State.Archive = record;
        try
        {
            await state.WriteStateAsync(cancellationToken);
        }
        catch (InconsistentStateException error)
        {
            throw new ChainFencedException($"another owner has written the record of the archive of {record.Chain.Log}, chain {record.Chain.Number}", error);
        }

        Known = record;
    }
}
