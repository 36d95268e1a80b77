using ClickAggregator.Adapters.ClickLog;
using ClickAggregator.ClickLog;
using ClickAggregator.Streaming;

namespace ClickAggregator.Api.Verify;

/// <summary>Hears of a record; of one that the log has lost to damage the value is null.</summary>
internal delegate void RecountRecord(long offset, long logTime, byte[]? value);

/// <summary>A log as the recount reads it: a range of a partition, from front to back.</summary>
internal interface IRecountLog
{
    /// <summary>Its id, as the stored records have it.</summary>
    string Id { get; }

    int Partitions { get; }

    /// <summary>What a partition holds.</summary>
    Task<(long Start, long End)> RangeAsync(int partition, CancellationToken cancellationToken);

    /// <summary>Reads the records of <c>[from, to)</c>.</summary>
    Task ReadAsync(int partition, long from, long to, RecountRecord each, CancellationToken cancellationToken);
}

/// <summary>The click log.</summary>
internal sealed class RecountedClickLog(PartitionedClickLog log) : IRecountLog
{
    private readonly ClickLogPartitionLog _log = new(log);

    public string Id { get; } = log.LogId.ToString();

    public int Partitions => log.Partitions;

    public Task<(long Start, long End)> RangeAsync(int partition, CancellationToken cancellationToken) => Task.FromResult(log.GetRange(partition));

    public async Task ReadAsync(int partition, long from, long to, RecountRecord each, CancellationToken cancellationToken)
    {
        await foreach (Slab slab in _log.ReadAsync(partition, from, to, cancellationToken))
        {
            try
            {
                foreach (ref readonly SlabRecord record in slab.Records)
                {
                    each(record.Offset, record.Timestamp, record.IsDamaged ? null : slab.Value(in record).ToArray());
                }
            }
            finally
            {
                slab.Release();
            }
        }
    }
}

/// <summary>In place of a log that is not here any more.</summary>
internal sealed class NoLog(string id) : IRecountLog
{
    public string Id => id;

    public int Partitions => 0;

    public Task<(long Start, long End)> RangeAsync(int partition, CancellationToken cancellationToken) => Task.FromResult((0L, 0L));

    public Task ReadAsync(int partition, long from, long to, RecountRecord each, CancellationToken cancellationToken) => Task.CompletedTask;
}
