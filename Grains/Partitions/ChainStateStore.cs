using ClickAggregator.Grains.Chain;
using Orleans.Storage;

namespace ClickAggregator.Grains.Partitions;

/// <summary>What the partition grain keeps: the chain's record.</summary>
public sealed class PartitionDocument
{
    public ChainRecord? Chain { get; set; }
}

/// <summary>The chain's record as the state of its grain: the ETag makes a write compare-and-set.</summary>
internal sealed class ChainStateStore(IPersistentState<PartitionDocument> state) : IChainRecordStore
{
    /// <summary>
    /// The record as it is known to be stored: not one whose write is under way, failed, or may have failed. Others act on
    /// what it says.
    /// </summary>
    public ChainRecord? Known { get; private set; } = state.State.Chain;

    public async Task<ChainRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        await state.ReadStateAsync(cancellationToken);
        return Known = state.State.Chain;
    }

    public async Task WriteAsync(ChainRecord record, CancellationToken cancellationToken)
    {
        state.State.Chain = record;
        try
        {
            await state.WriteStateAsync(cancellationToken);
        }
        catch (InconsistentStateException error)
        {
            throw new ChainFencedException($"another owner has written the record of {record.Log}, chain {record.Chain}", error);
        }

        Known = record;
    }
}
