using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Archives one chain: each record of its log goes into exactly one object, whatever dies, stalls or repeats. It runs on one scheduler,
/// a grain's or the simulation's. The README beside it says why the steps are in this order.
/// </summary>
/// <remarks>
/// Whatever is archived, moved or noted as lost goes through these steps, and a crash between any two is repaired by the next owner:
/// 1. the bytes are made, in memory;
/// 2. intent: the record holds the whole entry (compare-and-set: whoever fails is over for good);
/// 3. the entry is created in the manifest, where none of its number is;
/// 4. its objects are written: the same bytes each time;
/// 5. complete: the index of days, then the record.
/// </remarks>
public sealed partial class ChainArchive
{
    private readonly ArchiveChain _chain;
    private readonly ArchiveOptions _options;
    private readonly DuplicateRule _rule;
    private readonly IPartitionLog _log;
    private readonly Func<LogRange, CancellationToken, ValueTask<long>> _limit;
    private readonly ArchiveStores _stores;
    private readonly IClickFiles _files;
    private readonly ArchiveGate _gate;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ArchiveInstruments _instruments;
    private readonly bool _aside;
    private readonly ArchiveFaults _faults;
    private readonly HashSet<string> _damaged = new(StringComparer.Ordinal);
    private ArchiveRecord _record;
    private LogRange _range;
    private long _allUntil;

    /// <param name="chain">What is archived.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="rule">How repeats are marked.</param>
    /// <param name="log">The chain's log.</param>
    /// <param name="limit">Up to where it is archived, of what it holds now.</param>
    /// <param name="stores">Where all is kept.</param>
    /// <param name="files">The form of objects.</param>
    /// <param name="gate">Bounds the memory of several.</param>
    /// <param name="time">Ages; it decides no bytes.</param>
    /// <param name="logger">Diagnostics.</param>
    /// <param name="instruments">Metrics.</param>
    public ChainArchive(
        ArchiveChain chain,
        ArchiveOptions options,
        DuplicateRule rule,
        IPartitionLog log,
        Func<LogRange, CancellationToken, ValueTask<long>> limit,
        ArchiveStores stores,
        IClickFiles files,
        ArchiveGate gate,
        TimeProvider time,
        ILogger logger,
        ArchiveInstruments instruments)
        : this(chain, options, rule, log, limit, stores, files, gate, time, logger, instruments, aside: true, ArchiveFaults.None)
    {
    }

    internal ChainArchive(
        ArchiveChain chain,
        ArchiveOptions options,
        DuplicateRule rule,
        IPartitionLog log,
        Func<LogRange, CancellationToken, ValueTask<long>> limit,
        ArchiveStores stores,
        IClickFiles files,
        ArchiveGate gate,
        TimeProvider time,
        ILogger logger,
        ArchiveInstruments instruments,
        bool aside,
        ArchiveFaults faults)
    {
        _chain = chain;
        _options = options;
        _rule = rule;
        _log = log;
        _limit = limit;
        _stores = stores;
        _files = files;
        _gate = gate;
        _time = time;
        _logger = logger;
        _instruments = instruments;
        _aside = aside;
        _faults = faults;
        _record = new ArchiveRecord { Chain = chain };
    }

    /// <summary>Repeats that the counting has found already; null where all are found here.</summary>
    public RepeatBoard? Repeats { get; init; }

    /// <summary>What it archives.</summary>
    public ArchiveChain Chain => _chain;

    /// <summary>The record as its last complete entry left it: what readers may be told.</summary>
    public ArchiveRecord Record => _record;

    /// <summary>What the log held when it was last looked at.</summary>
    public LogRange Range => _range;

    /// <summary>Objects that were found damaged or gone.</summary>
    public IReadOnlyCollection<string> Damaged => _damaged;

    /// <summary>Log time of the first record that waits to be archived, milliseconds since the epoch; null where none does.</summary>
    public long? OldestWaiting => _oldest is { } oldest && oldest.Offset == _record.Upto && _range.End > _record.Upto ? oldest.Time : null;

    /// <summary>
    /// Does what is due next; false where nothing is. If it throws anything but a fencing or a stop, a new owner may start over.
    /// </summary>
    /// <exception cref="ChainFencedException">Another owner has the chain.</exception>
    /// <exception cref="ChainStoppedException">It cannot go on until somebody acts.</exception>
    public async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        await LookAsync(cancellationToken);
        if (_range.End < _record.Upto)
        {
            throw new ChainStoppedException(
                "log_shorter",
                $"log_shorter: partition {_chain.Partition} was archived up to offset {_record.Upto}, and the log {_chain.Log} ends at {_range.End}: it was restored from an older copy");
        }

        if (_record.Upto < _range.Start)
        {
            await LoseAsync(cancellationToken);
            return true;
        }

        return await WriteIfDueAsync(cancellationToken) || await MergeIfDueAsync(cancellationToken) || await TidyAsync(cancellationToken);
    }

    /// <summary>Deletes what is to be deleted; false where nothing is.</summary>
    /// <exception cref="ChainFencedException">Another owner has the chain.</exception>
    public async Task<bool> TidyAsync(CancellationToken cancellationToken)
    {
        if (await DeleteGoneAsync(cancellationToken))
        {
            return true;
        }

        await SweepIfDueAsync(cancellationToken);
        return false;
    }

    /// <summary>Looks at what the log holds now, and since when what is not archived waits.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        long asked = Now;
        _range = await _log.GetRangeAsync(_chain.Partition, cancellationToken);
        if (_record.Upto >= _range.Head)
        {
            _allUntil = asked;
        }
        else if (_record.Upto >= _range.Start && _record.Upto < _range.End && _oldest?.Offset != _record.Upto)
        {
            _oldest = (_record.Upto, await OldestAsync(cancellationToken));
        }
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private Task<T> AsideAsync<T>(Func<T> work) => _aside ? BackgroundThread.RunAsync(work) : Task.FromResult(work());

    /// <summary>Steps 2 to 5.</summary>
    private async Task CommitAsync(ManifestEntry entry, IReadOnlyDictionary<string, byte[]> made, CancellationToken cancellationToken)
    {
        byte[] bytes = ManifestFormat.Write(entry);
        if (_faults.HasFlag(ArchiveFaults.ObjectsFirst))
        {
            await WriteObjectsAsync(entry, made, cancellationToken);
        }

        if (!_faults.HasFlag(ArchiveFaults.NoIntent))
        {
            await WriteRecordAsync(_record with { Pending = System.Text.Encoding.UTF8.GetString(bytes) }, cancellationToken);
        }

        await FinishAsync(entry, bytes, made, cancellationToken);
    }

    /// <summary>Steps 3 to 5.</summary>
    private async Task FinishAsync(ManifestEntry entry, byte[] bytes, IReadOnlyDictionary<string, byte[]>? made, CancellationToken cancellationToken)
    {
        // 3. Whoever comes after this reads the entry, and makes its objects before anything else. So there is never an object that
        //    no entry names, nor two that hold the same click, though two owners were at it or the record went back.
        string key = ArchiveKeys.Entry(_chain.Number, entry.Number);
        if (_faults.HasFlag(ArchiveFaults.NoCreate))
        {
            await _stores.Objects.WriteAsync(key, bytes, cancellationToken);
        }
        else if (!await _stores.Objects.CreateAsync(key, bytes, cancellationToken))
        {
            byte[]? there = await _stores.Objects.ReadAsync(key, cancellationToken);
            if (there is null || !there.AsSpan().SequenceEqual(bytes))
            {
                throw new ArchiveUnavailableException($"{key} is another entry than this owner's: the record is older than the archive, and is brought up to it");
            }
        }

        // 4.
        if (made is null && !await AreThereAsync(entry, cancellationToken))
        {
            switch (await RemakeAsync(entry, cancellationToken))
            {
                case { Replacement: { } replacement } remade:
                    await ReplaceAsync(entry, bytes, replacement, remade.Made, cancellationToken);
                    return;
                case { } remade:
                    made = remade.Made;
                    break;
            }
        }

        IReadOnlyDictionary<string, (ManifestObject Object, long Erased)> adopted = await WriteObjectsAsync(entry, made, cancellationToken);
        if (adopted.Count > 0)
        {
            ManifestEntry asTheyAre = entry with
            {
                Adds = [.. entry.Adds.Select(one => adopted.TryGetValue(one.Key, out var there) ? there.Object : one)],
                Erased = adopted.Values.First().Erased,
            };
            await ReplaceAsync(entry, bytes, asTheyAre, made!, cancellationToken);
            return;
        }

        // 5.
        string hash = ManifestFormat.Hash(bytes);
        ArchiveRecord complete = _record.After(entry, hash);
        await IndexAsync(complete.FirstHash, entry, cancellationToken);
        if (_faults.HasFlag(ArchiveFaults.DeletedEarly))
        {
            foreach (GoneObject gone in complete.Gone)
            {
                await _stores.Objects.DeleteAsync(gone.Key, cancellationToken);
            }
        }

        await WriteRecordAsync(complete, cancellationToken);
        _instruments.Note(entry);
    }

    /// <summary>
    /// Creates an entry's objects. None is ever written over: an owner who was replaced, or a request of its that lands late, would
    /// put its bytes over those of the entry that counts. So what was there first stays. An erasure alone puts other bytes under a key,
    /// and only in place of those that it was made from.
    /// </summary>
    /// <returns>Objects that are there as an entry says that this one replaces; this one has to be replaced by what is there.</returns>
    private async Task<IReadOnlyDictionary<string, (ManifestObject Object, long Erased)>> WriteObjectsAsync(
        ManifestEntry entry, IReadOnlyDictionary<string, byte[]>? made, CancellationToken cancellationToken)
    {
        var adopted = new Dictionary<string, (ManifestObject Object, long Erased)>(StringComparer.Ordinal);
        Dictionary<string, long>? replaced = null;
        foreach (ManifestObject one in entry.Adds)
        {
            if (made is null || !made.TryGetValue(one.Key, out byte[]? content) || await PutAsync(one, content, cancellationToken))
            {
                continue;
            }

            byte[] there = await _stores.Objects.ReadAsync(one.Key, cancellationToken)
                ?? throw new ArchiveUnavailableException($"{one.Key} was there, and is gone");
            string hash = ManifestFormat.Hash(there);
            if (hash == one.Was)
            {
                throw new ArchiveUnavailableException($"{one.Key} could not be rewritten, and is as it was");
            }

            if (hash == one.Sha256)
            {
                continue;
            }

            replaced ??= await ReplacedHashesAsync(entry, cancellationToken);
            if (replaced.TryGetValue(hash, out long erased))
            {
                adopted[one.Key] = (one.With(_files, there), erased);
            }
            else
            {
                LogDamaged(_logger, _chain.Partition, $"{one.Key} of the archive is not what was written");
            }
        }

        return adopted;
    }

    private Task<bool> PutAsync(ManifestObject one, byte[] content, CancellationToken cancellationToken) => one.Was is not { } was
        ? _stores.Objects.CreateAsync(one.Key, content, cancellationToken)
        : _faults.HasFlag(ArchiveFaults.NoLookBeforeRewriting)
            ? WriteOverAsync(one.Key, content, cancellationToken)
            : _stores.Objects.ReplaceAsync(one.Key, was, content, cancellationToken);

    private async Task<bool> WriteOverAsync(string key, byte[] content, CancellationToken cancellationToken)
    {
        await _stores.Objects.WriteAsync(key, content, cancellationToken);
        return true;
    }

    /// <summary>The hashes of all objects of the entries that an entry replaces, one by the other, with how many clicks those entries cleared.</summary>
    private async Task<Dictionary<string, long>> ReplacedHashesAsync(ManifestEntry entry, CancellationToken cancellationToken)
    {
        var hashes = new Dictionary<string, long>(StringComparer.Ordinal);
        for (long? number = entry.Replaces; number is long replaced;)
        {
            string key = ArchiveKeys.Entry(_chain.Number, replaced);
            byte[] bytes = await _stores.Objects.ReadAsync(key, cancellationToken) ?? throw new ArchiveUnavailableException($"{key} was there, and is gone");
            ManifestEntry before = ManifestFormat.Read(bytes, key);
            foreach (ManifestObject one in before.Adds)
            {
                hashes[one.Sha256] = before.Erased;
            }

            number = before.Replaces;
        }

        return hashes;
    }

    /// <summary>Notes in the index of days what an entry changes in the table.</summary>
    private async Task IndexAsync(string archive, ManifestEntry entry, CancellationToken cancellationToken)
    {
        var days = new SortedDictionary<int, (List<DayObject> Adds, List<string> Takes)>();
        foreach (ManifestObject one in entry.Adds.Where(one => one.Key.StartsWith(ArchiveKeys.Table, StringComparison.Ordinal)))
        {
            int hour = one.Hours[0].Hour;
            Of(hour).Adds.Add(new DayObject(one.Key, one.Sha256, one.Bytes, one.Rows, one.From, one.To, hour, entry.Number, one.Was, one.Footer));
        }

        foreach (TakenRows taken in entry.Takes.Where(one => one.Key.StartsWith(ArchiveKeys.Table, StringComparison.Ordinal)))
        {
            Of(taken.Hours[0]).Takes.Add(taken.Key);
        }

        foreach ((int day, (List<DayObject> adds, List<string> takes)) in days)
        {
            await _stores.Days.ApplyAsync(_chain.Number, day, new DayChange(archive, entry.Number, adds, takes), cancellationToken);
        }

        (List<DayObject> Adds, List<string> Takes) Of(int hour)
        {
            int day = hour / 24;
            if (!days.TryGetValue(day, out var changes))
            {
                days[day] = changes = ([], []);
            }

            return changes;
        }
    }

    /// <summary>The record in memory is the stored one, or one that is about to be: a failed write ends this owner.</summary>
    private async Task WriteRecordAsync(ArchiveRecord record, CancellationToken cancellationToken)
    {
        await _stores.Record.WriteAsync(record, cancellationToken);
        _record = record;
    }

    private ManifestEntry Entry(ArchiveCause cause, long from, long to) => new()
    {
        Number = _record.Entries + 1,
        Cause = cause,
        Chain = _chain,
        From = from,
        To = to,
        Previous = _record.LastHash,
        DedupFrom = _record.DedupFrom,
    };

    [LoggerMessage(EventId = 2401, Level = LogLevel.Critical, Message = "partition {Partition}: the log lost the offsets [{From}, {To}) before they were archived; no recount will find their clicks")]
    private static partial void LogLost(ILogger logger, int partition, long from, long to);

    [LoggerMessage(EventId = 2402, Level = LogLevel.Error, Message = "partition {Partition}: {Message}; the hours that it holds clicks of are not moved")]
    private static partial void LogDamaged(ILogger logger, int partition, string message);

    [LoggerMessage(EventId = 2403, Level = LogLevel.Warning, Message = "partition {Partition}: the objects of entry {Entry} could not be made again as it says; entry {Next} takes its place")]
    private static partial void LogReplaced(ILogger logger, int partition, long entry, long next);

    [LoggerMessage(EventId = 2404, Level = LogLevel.Warning, Message = "partition {Partition}: the record of the archive is brought up to the manifest, from entry {From} to {To}")]
    private static partial void LogTakenUp(ILogger logger, int partition, long from, long to);

    [LoggerMessage(EventId = 2405, Level = LogLevel.Critical, Message = "partition {Partition}: the archive that was written up to offset {Upto} is not here; a new one begins with what the log still holds")]
    private static partial void LogNewArchive(ILogger logger, int partition, long upto);

    [LoggerMessage(EventId = 2406, Level = LogLevel.Critical, Message = "partition {Partition}: the archive here is another one than was written up to offset {Upto}; it is taken up")]
    private static partial void LogOtherArchive(ILogger logger, int partition, long upto);
}

/// <summary>Where a chain's archive keeps what it keeps.</summary>
public sealed record ArchiveStores(IArchiveRecordStore Record, IArchiveDays Days, IArchiveObjects Objects);
