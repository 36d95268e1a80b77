using System.Text;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Verify;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Api.Archived;

/// <summary>Looks for a click in the archive.</summary>
internal sealed class ArchiveSearch(ArchiveReader reader)
{
    private const long MaxBytes = 8L << 30;
    private const ClickColumns Columns = ClickColumns.All & ~ClickColumns.PageUrl;

    /// <summary>How many objects were looked into.</summary>
    public int Objects { get; private set; }

    /// <summary>How many bytes were read of them.</summary>
    public long Bytes { get; private set; }

    /// <summary>The places of a click id among the clicks of some hours.</summary>
    /// <param name="id">The click's id.</param>
    /// <param name="target">Its target, so that not everything has to be read; null where it is not known.</param>
    /// <param name="chains">The chains.</param>
    /// <param name="fromHour">The first hour.</param>
    /// <param name="toHour">The hour after the last.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="QueryFaultException">That would be too much to read.</exception>
    public async Task<List<TracedClick>> FindAsync(
        string id, ClickSearch? target, IReadOnlyList<ArchiveProgress> chains, int fromHour, int toHour, CancellationToken cancellationToken)
    {
        var planned = new List<ListedObject>();
        foreach (ArchiveProgress chain in chains.Where(chain => target is null || reader.MayHold(chain, target)))
        {
            planned.AddRange(await reader.ObjectsAsync(chain.Chain, fromHour, toHour, cancellationToken));
        }

        // With a target hardly anything of an object is read, and how much is known afterwards.
        Bound(target is null ? planned.Sum(one => one.Object.Bytes) : 0);
        byte[] text = Encoding.UTF8.GetBytes(id);
        var found = new List<TracedClick>();
        var rows = new ClickRows();
        Dictionary<int, ArchiveProgress> chainOf = chains.ToDictionary(chain => chain.Chain);
        await foreach (ReadRows read in reader.ReadAsync(planned, rows, Columns, target, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Bytes += read.Bytes;
            Bound(Bytes);
            for (int row = 0; row < read.Count; row++)
            {
                if (rows.ClickIds[row].SequenceEqual(text))
                {
                    found.Add(Found(rows, row, chainOf[read.Object.Chain], read.Object.Object) with { Row = read.FirstRow + row });
                }
            }
        }

        Objects = planned.Count;
        return found;

        static void Bound(long bytes)
        {
            if (bytes > MaxBytes)
            {
                throw new QueryFaultException(
                    "range_too_large", null, $"a trace reads {MaxBytes >> 30:N0} GiB of the archive at most, and in this range there is more: take a shorter one");
            }
        }
    }

    private static TracedClick Found(ClickRows rows, int row, ArchiveProgress chain, ArchivedObject archived) => new(
        chain.Log, chain.Partition, chain.Chain, rows.Offsets[row], rows.BrokerTimes[row],
        new RecountedClick(
            TargetKinds.Name(rows.Kinds[row]), rows.TargetIds.Text(row) ?? "", rows.ClickIds.Text(row) ?? "", rows.CampaignIds.Text(row) ?? "",
            rows.Countries.Text(row) ?? "", rows.Devices.Text(row) ?? "", rows.Timestamps[row]),
        new TracedFields(rows.UserIds.Text(row), rows.Referrers.Text(row), rows.InvalidatedBy.Text(row)?.Split(',')))
    {
        Object = archived.Key,
        IsDuplicate = rows.Duplicates[row],
    };
}
