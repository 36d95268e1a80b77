using System.Security.Cryptography;
using System.Text;
using ClickAggregator.Api.Cluster;
using ClickAggregator.Api.Queries;
using ClickAggregator.ClickLog;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Api.Archived;

/// <summary>
/// Reads archived clicks, in this process: objects come straight from where they are, and the silos are only asked which they
/// are. One object is in memory at a time.
/// </summary>
internal sealed class ArchiveReader(Silos silos, IServiceProvider services)
{
    private const int HoursAtOnce = 16;

    // In a cluster they are there where the API has the archive's settings.
    private readonly IArchiveObjects? _objects = services.GetService<IArchiveObjects>();
    private readonly IClickFiles? _files = services.GetService<IClickFiles>();

    public IClickFiles Files => _files ?? throw NotConfigured();

    /// <summary>Every chain, and how far it is archived.</summary>
    public async Task<IReadOnlyList<ArchiveProgress>> ChainsAsync(CancellationToken cancellationToken)
    {
        if (_objects is null || _files is null)
        {
            throw NotConfigured();
        }

        IReadOnlyList<RegisteredChain> chains = await silos.AskAsync(grains => grains.GetGrain<IChainRegistryGrain>(0).GetChainsAsync(), cancellationToken);
        return await Task.WhenAll(chains.OrderBy(chain => chain.Number).Select(chain =>
            silos.AskAsync(grains => grains.GetGrain<IArchiveGrain>(chain.Number).GetProgressAsync(), cancellationToken)));
    }

    /// <summary>
    /// Whether clicks of a target may be in a chain: in the click log of this server each target has one partition, which is never another.
    /// Of other logs that is not known, since others may have written there by rules of their own.
    /// </summary>
    public bool MayHold(ArchiveProgress chain, ClickSearch target)
    {
        PartitionedClickLog log = services.GetRequiredService<PartitionedClickLog>();
        return chain.Log != log.LogId.ToString()
            || chain.Partition == TargetPartitioner.Partition(target.Kind, Encoding.UTF8.GetBytes(target.TargetId!), log.Partitions);
    }

    /// <summary>The objects that hold clicks of some hours of a chain, each once, by their first offsets.</summary>
    public async Task<IReadOnlyList<ListedObject>> ObjectsAsync(int chain, int fromHour, int toHour, CancellationToken cancellationToken)
    {
        var objects = new Dictionary<string, ListedObject>(StringComparer.Ordinal);
        foreach (int[] hours in Enumerable.Range(fromHour, toHour - fromHour).Chunk(HoursAtOnce))
        {
            ArchivedHour[] answers = await Task.WhenAll(hours.Select(hour =>
                silos.AskAsync(grains => grains.GetGrain<IArchiveGrain>(chain).GetHourAsync(hour), cancellationToken)));
            foreach ((int hour, ArchivedHour answer) in hours.Zip(answers))
            {
                foreach (ArchivedObject one in answer.Objects.Where(one => one.HourRows > 0))
                {
                    objects[one.Key] = new ListedObject(one, chain, hour);
                }
            }
        }

        return [.. objects.Values.OrderBy(one => one.Object.From).ThenBy(one => one.Object.Key, StringComparer.Ordinal)];
    }

    /// <summary>An object's bytes, which are what the manifest says.</summary>
    /// <exception cref="ArchiveDamagedException">They are not, or the object is gone.</exception>
    /// <exception cref="ArchiveUnavailableException">They cannot be read now.</exception>
    public async Task<byte[]> ReadAsync(ListedObject listed, CancellationToken cancellationToken)
    {
        ArchivedObject archived = listed.Object;
        byte[] content = await (_objects ?? throw NotConfigured()).ReadAsync(archived.Key, cancellationToken)
            ?? throw new ArchiveDamagedException($"the archived object {archived.Key} is gone");
        string hash = Convert.ToHexStringLower(SHA256.HashData(content));
        if (archived.IsBytes(hash))
        {
            return content;
        }

        // Personal fields may have been cleared in it since it was listed: the clicks are the same ones.
        ArchivedHour now = await silos.AskAsync(grains => grains.GetGrain<IArchiveGrain>(listed.Chain).GetHourAsync(listed.Hour), cancellationToken);
        return now.Objects.Any(one => one.Key == archived.Key && one.IsBytes(hash))
            ? content
            : throw new ArchiveDamagedException($"the archived object {archived.Key} is not what the manifest says (SHA-256)");
    }

    /// <summary>
    /// Until when the chains hold every click: what the log took before is in the archive. Null while nobody knows.
    /// </summary>
    /// <param name="chains">How far they are archived.</param>
    /// <param name="counted">How far they are counted, asked before: who has archived what is counted has all until then.</param>
    public static long? Until(IReadOnlyList<ArchiveProgress> chains, IReadOnlyList<PartitionProgress> counted)
    {
        // Numbers are given in order: the log that is counted now has the last one, and the partitions of others are closed.
        string? log = CountedLog(chains);
        long? until = null;
        foreach (ArchiveProgress chain in chains)
        {
            bool isClosed = chain.Log != log;
            PartitionProgress? partition = isClosed ? null : counted.FirstOrDefault(one => one.Partition == chain.Partition);
            if (isClosed && chain.Upto >= chain.End)
            {
                continue;
            }

            long own = partition is not null && partition.State == PartitionState.Counting && chain.Upto >= partition.Next
                ? Math.Max(partition.CountedUntil, chain.ArchivedUntil)
                : chain.ArchivedUntil;
            until = Math.Min(until ?? long.MaxValue, own);
        }

        return until is 0 ? null : until;
    }

    /// <summary>The id of the log that is counted now; null before any is.</summary>
    public static string? CountedLog(IReadOnlyList<ArchiveProgress> chains) => chains.MaxBy(chain => chain.Chain)?.Log;

    private static QueryFaultException NotConfigured() => new(
        "archive_not_configured", null,
        "this API does not know where the archive is; give it the silos' settings of it (S3:Bucket and the others, or Archive:Directory)")
    { Status = StatusCodes.Status501NotImplemented };
}

/// <summary>An archived object, and the chain and an hour that list it.</summary>
internal sealed record ListedObject(ArchivedObject Object, int Chain, int Hour);
