using ClickAggregator.ClickLog.Appending;
using ClickAggregator.ClickLog.Files;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog;

/// <summary>
/// The click log: clicks in partitioned, append-only files on local disk, with offsets as in Kafka. What
/// <see cref="AppendAsync"/> returned from is on disk.
/// </summary>
public sealed partial class PartitionedClickLog : IAsyncDisposable
{
    private readonly DataDirectoryLock? _lock;
    private readonly PartitionFiles[] _files;
    private readonly PartitionWriter[] _writers;
    private readonly LogSpace _space;
    private readonly ClickLogOptions _options;
    private readonly TimeProvider _time;
    private readonly Quarantine _quarantine;
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PartitionedClickLog(PartitionPlace place, PartitionFiles[] files, DataDirectoryLock? held)
    {
        LogId = place.LogId;
        _lock = held;
        _files = files;
        _space = place.Space;
        _options = place.Options;
        _time = place.Time;
        _quarantine = place.Quarantine;
        _writers = held is null ? [] : [.. files.Select(partition => new PartitionWriter(partition, place.Options.QueueBytes))];
        foreach (PartitionWriter writer in _writers)
        {
            writer.Failed += fault => _failed.TrySetResult(fault);
        }
    }

    /// <summary>Names this log for as long as it lives.</summary>
    public Guid LogId { get; }

    /// <summary>How many partitions it was made with.</summary>
    public int Partitions => _files.Length;

    /// <summary>Bytes on disk.</summary>
    public long Bytes => _space.Used;

    /// <summary>Bytes on disk at most.</summary>
    public long MaxBytes => _options.MaxBytes;

    /// <summary>Completes when an fsync failed. Nothing is acknowledged from then on: the process has to stop.</summary>
    public Task<Exception> Failed => _failed.Task;

    /// <summary>
    /// Places that are damaged, by partition and offset, the first 1,000 that were found: readers find them, and a start
    /// where the end of the log is gone. What is adjacent is one place.
    /// </summary>
    public IReadOnlyList<LogDamage> Damage => _quarantine.Damage;

    /// <summary>How many records are lost in all places found so far, also those beyond the first 1,000.</summary>
    public long DamagedRecords => _quarantine.Records;

    /// <summary>Opens the log of a data directory, or makes one.</summary>
    /// <exception cref="LogUnusableException">Another process uses it, or it is not whole.</exception>
    public static Task<PartitionedClickLog> OpenAsync(
        ClickLogOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        OpenAsync(options, new LogDisk(), time, loggers, cancellationToken);

    /// <summary>Opens with a disk that tests can fail.</summary>
    internal static Task<PartitionedClickLog> OpenAsync(
        ClickLogOptions options, LogDisk disk, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        Task.Run(() => Open(options, disk, time, loggers.CreateLogger("ClickAggregator.ClickLog")), cancellationToken);

    /// <summary>
    /// Opens a log that is there to be read only, as far as it is durable now: it changes nothing, and another process
    /// may go on writing.
    /// </summary>
    /// <exception cref="LogUnusableException">There is no log, or it is not whole.</exception>
    public static Task<PartitionedClickLog> OpenToReadAsync(
        ClickLogOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        Task.Run(() => OpenToRead(options, time, loggers.CreateLogger("ClickAggregator.ClickLog")), cancellationToken);

    /// <summary>What a partition holds: its first offset, and the one after its last durable record.</summary>
    public (long Start, long End) GetRange(int partition) => (_files[partition].Start, _files[partition].End);

    /// <summary>About how many bytes lie from an offset on: up to 64 KiB too many, and in a segment that was not read yet all of it.</summary>
    public long BytesFrom(int partition, long offset) => _files[partition].BytesFrom(offset);

    /// <summary>Opens a reader at an offset. The caller disposes it.</summary>
    public ClickLogReader OpenReader(int partition, long from) => new(_files[partition], from, _quarantine.Report);

    /// <summary>Appends the clicks; they are durable when it returns. The batch may be cleared and used again then.</summary>
    /// <exception cref="LogFullException">No room. Parts of the batch may be in the log all the same.</exception>
    /// <exception cref="LogOverloadedException">Too much waits to be written; nothing of the batch was taken.</exception>
    /// <exception cref="LogFailedException">The disk failed; see <see cref="Failed"/>.</exception>
    public ValueTask AppendAsync(ClickBatch batch, CancellationToken cancellationToken) => AppendAsync(batch, null, null, cancellationToken);

    /// <summary>
    /// Appends clicks of a source together with its marker, which goes into every partition that
    /// <paramref name="markPartition"/> names.
    /// </summary>
    public ValueTask AppendAsync(
        ClickBatch batch, SourceMarker? marker, Func<int, bool>? markPartition, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_lock is null)
        {
            throw new InvalidOperationException("the click log was opened to be read");
        }

        if (marker is not null && System.Text.Encoding.UTF8.GetByteCount(marker.Source) > BatchFormat.MaxSourceBytes)
        {
            throw new ArgumentException($"a source's id has at most {BatchFormat.MaxSourceBytes} bytes", nameof(marker));
        }

        ReadOnlySpan<ClickBatch.PartitionBuffer> buffers = batch.Partitions;
        int parts = 0;
        for (int p = 0; p < buffers.Length; p++)
        {
            bool marked = marker is not null && markPartition!(p);
            if (buffers[p].Count > 0 || marked)
            {
                parts++;
                if (buffers[p].Length > BatchFormat.MaxBatchBytes - BatchFormat.FixedBytes - BatchFormat.MaxMarkerBytes)
                {
                    throw new ArgumentException($"a batch has at most {BatchFormat.MaxBatchBytes:N0} bytes in a partition", nameof(batch));
                }

                if (_writers[p].IsFull)
                {
                    throw new LogOverloadedException($"more than {_options.QueueBytes:N0} bytes wait for the disk");
                }
            }
        }

        if (parts == 0)
        {
            return ValueTask.CompletedTask;
        }

        // From here on it cannot be cancelled: the buffers belong to the writers until they answer.
        var ticket = new AppendTicket(parts);
        for (int p = 0; p < buffers.Length; p++)
        {
            bool marked = marker is not null && markPartition!(p);
            if (buffers[p].Count > 0 || marked)
            {
                _writers[p].Append(new AppendPart(
                    new ReadOnlyMemory<byte>(buffers[p].Bytes, 0, buffers[p].Length), buffers[p].Count, marked ? marker : null, ticket));
            }
        }

        return new ValueTask(ticket.Task);
    }

    /// <summary>The last marker of each source in a partition.</summary>
    public IReadOnlyDictionary<string, SourceMarker> GetMarkers(int partition) => _files[partition].Markers;

    /// <summary>Removes segments that lie below an offset and are past the retention.</summary>
    /// <returns>How many were removed.</returns>
    public int RemoveSegments(int partition, long belowOffset) =>
        _files[partition].Remove(belowOffset, _time.GetUtcNow().ToUnixTimeMilliseconds() - (long)_options.Retention.TotalMilliseconds);

    public async ValueTask DisposeAsync()
    {
        foreach (PartitionWriter writer in _writers)
        {
            await writer.DisposeAsync();
        }

        foreach (PartitionFiles files in _files)
        {
            files.Dispose();
        }

        _lock?.Dispose();
    }

    private static PartitionedClickLog Open(ClickLogOptions options, LogDisk disk, TimeProvider time, ILogger logger)
    {
        DataDirectoryLock held = DataDirectoryLock.Take(options.Directory);
        try
        {
            string log = Path.Combine(options.Directory, "log");
            bool isNew = !Directory.Exists(log);
            Guid logId = LogIdFile.Read(options.Directory, isNew);
            if (isNew)
            {
                MakeFolders(options, log);
            }

            int partitions = CountFolders(log);
            if (partitions != options.Partitions)
            {
                LogPartitions(logger, partitions, options.Partitions);
            }

            return Open(Place(options, log, logId, partitions, disk, time, logger), held, PartitionFiles.Open);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static PartitionedClickLog OpenToRead(ClickLogOptions options, TimeProvider time, ILogger logger)
    {
        string log = Path.Combine(options.Directory, "log");
        if (!Directory.Exists(log))
        {
            throw new LogUnusableException($"there is no click log in {options.Directory}");
        }

        Guid logId = LogIdFile.Read(options.Directory, logIsNew: false);
        return Open(Place(options, log, logId, CountFolders(log), new LogDisk(), time, logger), null, PartitionFiles.OpenToRead);
    }

    private static PartitionPlace Place(
        ClickLogOptions options, string log, Guid logId, int partitions, LogDisk disk, TimeProvider time, ILogger logger) => new(
            log, logId, options with { Partitions = partitions }, new LogSpace(options.MaxBytes),
            new Quarantine(Path.Combine(log, "quarantine"), logger), disk, time, logger);

    private static PartitionedClickLog Open(PartitionPlace place, DataDirectoryLock? held, Func<int, PartitionPlace, PartitionFiles> open)
    {
        var files = new List<PartitionFiles>();
        try
        {
            for (int p = 0; p < place.Options.Partitions; p++)
            {
                files.Add(open(p, place));
            }

            // A target's partition follows from their number: with one missing, its clicks would go elsewhere.
            if (files.Max(partition => partition.MadeWith) is int madeWith && madeWith > files.Count)
            {
                throw new LogUnusableException(
                    $"{place.Directory} was made with {madeWith} partitions and has the folders of {files.Count}: bring {PartitionPlace.Name(files.Count)} back");
            }

            return new PartitionedClickLog(place, [.. files], held);
        }
        catch
        {
            files.ForEach(partition => partition.Dispose());
            throw;
        }
    }

    private static int CountFolders(string log)
    {
        string[] found = [.. Directory.GetDirectories(log, "p????").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        for (int p = 0; p < Math.Max(1, found.Length); p++)
        {
            if (p >= found.Length || found[p] != PartitionPlace.Name(p))
            {
                throw new LogUnusableException($"{Path.Combine(log, PartitionPlace.Name(p))} is missing: bring it back");
            }
        }

        return found.Length;
    }

    /// <summary>All partitions' folders appear at once: their number is how many partitions the log has.</summary>
    private static void MakeFolders(ClickLogOptions options, string log)
    {
        string making = log + ".new";
        if (Directory.Exists(making))
        {
            Directory.Delete(making, recursive: true);
        }

        for (int p = 0; p < options.Partitions; p++)
        {
            Directory.CreateDirectory(Path.Combine(making, PartitionPlace.Name(p)));
        }

        Directory.Move(making, log);
        DirectorySync.Flush(options.Directory);
    }

    [LoggerMessage(EventId = 1103, Level = LogLevel.Warning, Message = "the log was made with {Partitions} partitions and keeps them; ClickLog:Partitions={Asked} is for new logs")]
    private static partial void LogPartitions(ILogger logger, int partitions, int asked);
}
