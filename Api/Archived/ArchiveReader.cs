using System.Runtime.CompilerServices;
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
/// are. One row group is in memory at a time, or one object where it has to be read whole.
/// </summary>
internal sealed class ArchiveReader(Silos silos, IServiceProvider services)
{
    private const int HoursAtOnce = 16;
    private const int FootersAtOnce = 8;

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

    /// <summary>
    /// Goes through the row groups of some objects, and reads those that may hold what is sought: of most objects nothing but the footer.
    /// What is read is what the manifest says.
    /// </summary>
    /// <param name="listed">The objects.</param>
    /// <param name="into">What each row group is read into.</param>
    /// <param name="columns">Columns that are wanted.</param>
    /// <param name="only">What is sought; null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveDamagedException">It is not what the manifest says, or an object is gone.</exception>
    /// <exception cref="ArchiveUnavailableException">It cannot be read now.</exception>
    public async IAsyncEnumerable<ReadRows> ReadAsync(
        IEnumerable<ListedObject> listed, ClickRows into, ClickColumns columns, ClickSearch? only, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Footers are small, and far away in S3: some are on their way while others are looked into.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using IEnumerator<ListedObject> next = listed.GetEnumerator();
        var opening = new Queue<(ListedObject Object, Task<OpenObject>? Opened)>();
        try
        {
            while (true)
            {
                while (opening.Count < FootersAtOnce && next.MoveNext())
                {
                    opening.Enqueue((next.Current, next.Current.Object.Footer is null ? null : OpenAsync(next.Current.Object, ended.Token)));
                }

                if (!opening.TryDequeue(out (ListedObject Object, Task<OpenObject>? Opened) first))
                {
                    yield break;
                }

                await foreach (ReadRows rows in ReadAsync(first.Object, first.Opened, into, columns, only, cancellationToken))
                {
                    yield return rows;
                }
            }
        }
        finally
        {
            await ended.CancelAsync();
            foreach ((_, Task<OpenObject>? opened) in opening)
            {
                _ = opened?.ContinueWith(
                    static task =>
                    {
                        if (task.IsCompletedSuccessfully)
                        {
                            task.Result.Dispose();
                        }
                        else
                        {
                            _ = task.Exception; // nobody waits for it any more
                        }
                    },
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    private async IAsyncEnumerable<ReadRows> ReadAsync(
        ListedObject listed, Task<OpenObject>? opened, ClickRows into, ClickColumns columns, ClickSearch? only, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArchivedObject now = listed.Object;
        OpenObject? open = null;
        try
        {
            for (int group = 0; open is null || group < open.File.RowGroups;)
            {
                ReadRows read;
                try
                {
                    open ??= await (opened ?? OpenAsync(now, cancellationToken));
                    bool isSought = only is null || await open.File.MayHoldAsync(group, only, cancellationToken);
                    int count = isSought ? await open.File.ReadAsync(group, into, columns, cancellationToken) : 0;
                    read = new ReadRows(listed, open.File.FirstRow(group), count, open.BytesUnsaid());
                }
                catch (ArchiveDamagedException)
                {
                    // Personal fields may have been cleared in it since it was listed: the clicks are the same ones, in the same rows.
                    ArchivedObject? again = await AgainAsync(listed, cancellationToken);
                    if (again is null || again == now)
                    {
                        throw;
                    }

                    open?.Dispose();
                    (open, opened, now) = (null, null, again);
                    continue;
                }

                group++;
                yield return read;
            }
        }
        finally
        {
            open?.Dispose();
        }
    }

    private async Task<OpenObject> OpenAsync(ArchivedObject archived, CancellationToken cancellationToken)
    {
        IArchiveObjects objects = _objects ?? throw NotConfigured();
        if (archived.Footer is { } footer)
        {
            var parts = new ObjectParts(objects, archived.Key, archived.Bytes, footer);
            return new OpenObject(await Files.OpenAsync(parts, cancellationToken), () => parts.BytesRead);
        }

        byte[] content = await objects.ReadAsync(archived.Key, cancellationToken)
            ?? throw new ArchiveDamagedException($"the archived object {archived.Key} is gone");
        return archived.IsBytes(Convert.ToHexStringLower(SHA256.HashData(content)))
            ? new OpenObject(Files.Open(content), () => content.Length)
            : throw new ArchiveDamagedException($"the archived object {archived.Key} is not what the manifest says (SHA-256)");
    }

    private async Task<ArchivedObject?> AgainAsync(ListedObject listed, CancellationToken cancellationToken)
    {
        ArchivedHour now = await silos.AskAsync(grains => grains.GetGrain<IArchiveGrain>(listed.Chain).GetHourAsync(listed.Hour), cancellationToken);
        return now.Objects.FirstOrDefault(one => one.Key == listed.Object.Key);
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

    /// <summary>An object that is open, and how many bytes were read of it.</summary>
    private sealed class OpenObject(IClickFile file, Func<long> read) : IDisposable
    {
        private long _said;

        public IClickFile File => file;

        /// <summary>Bytes that were read since this was asked before.</summary>
        public long BytesUnsaid()
        {
            long before = _said;
            _said = read();
            return _said - before;
        }

        public void Dispose() => file.Dispose();
    }

    private static QueryFaultException NotConfigured() => new(
        "archive_not_configured", null,
        "this API does not know where the archive is; give it the silos' settings of it (S3:Bucket and the others, or Archive:Directory)")
    { Status = StatusCodes.Status501NotImplemented };
}

/// <summary>An archived object, and the chain and an hour that list it.</summary>
internal sealed record ListedObject(ArchivedObject Object, int Chain, int Hour);

/// <summary>Rows that were read of an archived object.</summary>
/// <param name="Object">The object.</param>
/// <param name="FirstRow">The place of the first one among all rows of the object, from 0.</param>
/// <param name="Count">How many; 0 where the row group cannot hold what is sought.</param>
/// <param name="Bytes">How many bytes were read of it since the rows before.</param>
internal readonly record struct ReadRows(ListedObject Object, long FirstRow, int Count, long Bytes);
