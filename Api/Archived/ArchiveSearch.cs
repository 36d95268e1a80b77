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

    /// <summary>How many objects were read.</summary>
    public int Objects { get; private set; }

    /// <summary>How many bytes they have.</summary>
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
        var planned = new List<(ArchiveProgress Chain, ListedObject Object)>();
        foreach (ArchiveProgress chain in chains.Where(chain => target is null || reader.MayHold(chain, target)))
        {
            planned.AddRange((await reader.ObjectsAsync(chain.Chain, fromHour, toHour, cancellationToken)).Select(archived => (chain, archived)));
        }

        long bytes = planned.Sum(one => one.Object.Object.Bytes);
        if (bytes > MaxBytes)
        {
            throw new QueryFaultException(
                "range_too_large", null, $"{bytes >> 30:N0} GiB are archived in this range, and a trace reads at most {MaxBytes >> 30:N0}; take a shorter one");
        }

        byte[] text = Encoding.UTF8.GetBytes(id);
        var found = new List<TracedClick>();
        var rows = new ClickRows();
        foreach ((ArchiveProgress chain, ListedObject listed) in planned)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ArchivedObject archived = listed.Object;
            byte[] file = await reader.ReadAsync(listed, cancellationToken);
            Objects++;
            Bytes += archived.Bytes;
            int before = found.Count;
            foreach (int count in reader.Files.Read(file, rows, Columns, target))
            {
                for (int row = 0; row < count; row++)
                {
                    if (rows.ClickIds[row].SequenceEqual(text))
                    {
                        found.Add(Found(rows, row, chain, archived));
                    }
                }
            }

            if (found.Count > before)
            {
                Place(file, rows, found, before);
            }
        }

        return found;
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

    // Row groups may have been left out before: rows are counted over all of them.
    private void Place(byte[] file, ClickRows rows, List<TracedClick> found, int from)
    {
        long first = 0;
        foreach (int count in reader.Files.Read(file, rows, ClickColumns.Offset))
        {
            for (int n = from; n < found.Count; n++)
            {
                int row = rows.Offsets.IndexOf(found[n].Offset);
                found[n] = row < 0 ? found[n] : found[n] with { Row = first + row };
            }

            first += count;
        }
    }
}
