using ClickAggregator.Clicks;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Archive;

/// <content>From the log into the inbox.</content>
public sealed partial class ChainArchive
{
    private const long HourMilliseconds = 3_600_000;
    private const int LookRecords = 1000;
    private static readonly Dictionary<string, byte[]> s_nothing = [];

    /// <summary>Ids are forgotten between two turns where they take more than this: they can be read back.</summary>
    private const long KeptBytes = 8 << 20;

    /// <summary>Objects that are made one after the other where the log holds so many, since the ids are at hand.</summary>
    private const int ObjectsInTurn = 4;

    private readonly RecordReader _reader = new();
    private (long Offset, long Time)? _oldest;
    private DuplicateSet? _seen;
    private long _seenUpto;
    private long _written;
    private double _recordBytes = 100;

    private async Task<bool> WriteIfDueAsync(CancellationToken cancellationToken)
    {
        long limit = Math.Min(_range.End, await _limit(_range, cancellationToken));
        if (limit <= _record.Upto)
        {
            return false;
        }

        // Not at once again where records are old already when they come: of another producer's clock, or after an outage.
        bool isOld = _oldest is { } oldest && oldest.Offset == _record.Upto && Now - oldest.Time >= _options.MaxAge.TotalMilliseconds
            && (_written == 0 || _time.GetElapsedTime(_written) >= _options.MaxAge / 4);
        if (!IsFull(limit) && !isOld && limit == _range.End)
        {
            return false;
        }

        using ArchiveGate.Turn turn = await _gate.EnterAsync(cancellationToken);
        int objects = 0;
        do
        {
            KnownRepeats? known = FindKnown(limit);
            Made made = await MakeAsync(turn.Memory, _record.Upto, known is null ? limit : Math.Min(limit, known.To), known, cancellationToken);
            await CommitAsync(Written(made), made.Objects, cancellationToken);
            _written = _time.GetTimestamp();
        }
        while (++objects < ObjectsInTurn && IsFull(limit));
        if (_seen?.Bytes > KeptBytes)
        {
            (turn.Memory.Ids, _seen) = (_seen, null);
        }

        return true;
    }

    /// <summary>
    /// The repeats that the counting has found already, where it has come far enough: it trails the log a little, and what is behind it
    /// waits for the next object. Where it trails by more (it stands, another silo does it, it began anew) the ids are read back here.
    /// </summary>
    private KnownRepeats? FindKnown(long limit)
    {
        Repeats?.Follow(_chain.Number);
        KnownRepeats? known = Repeats?.Find(_chain.Number, _rule.Horizon, _rule.MaxIds, _record.Upto);
        return known is not null && known.To - _record.Upto > (limit - _record.Upto) / 2 ? known : null;
    }

    private bool IsFull(long limit) => (limit - _record.Upto) * _recordBytes >= _options.MaxObjectBytes;

    /// <summary>When the first record that waits came into the log.</summary>
    private async Task<long> OldestAsync(CancellationToken cancellationToken)
    {
        long from = _record.Upto;
        long oldest = Now;
        await foreach (Slab slab in _log.ReadAsync(_chain.Partition, from, Math.Min(from + LookRecords, _range.End), cancellationToken))
        {
            try
            {
                if (slab.Count > 0)
                {
                    return Math.Min(oldest, slab.Records[0].Timestamp);
                }
            }
            finally
            {
                slab.Release();
            }
        }

        return oldest;
    }

    private ManifestEntry Written(Made made) => Entry(ArchiveCause.Write, made.From, made.To) with
    {
        Duplicates = _rule,
        Until = made.Until,
        DedupFrom = made.DedupFrom,
        Last = made.Last,
        Adds = made.Adds,
    };

    /// <summary>Makes the object of what the log has from an offset on, as much as goes into one.</summary>
    /// <param name="memory">What is large.</param>
    /// <param name="from">The first offset.</param>
    /// <param name="to">The offset behind the last.</param>
    /// <param name="known">The repeats among them; null where they are to be found here, from the ids before.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task<Made> MakeAsync(ArchiveMemory memory, long from, long to, KnownRepeats? known, CancellationToken cancellationToken)
    {
        DuplicateSet? seen = known is null ? await SeenAsync(memory, from, cancellationToken) : null;
        memory.Ids = null; // in use, or needed no more
        _seen = null; // until it is known where it stands
        using IClickFileWriter file = _files.Start(_chain.Origin);
        ClickRows rows = memory.Rows;
        rows.Clear();
        var ids = new RecordIds();
        var hours = new SortedDictionary<int, long>();
        long first = -1;
        long lastClick = -1;
        long end = from;
        long records = 0;
        long bytes = 0;
        long until = 0;
        long now = Now;
        LogMark? last = null;
        bool isFull = false;
        await foreach (Slab slab in _log.ReadAsync(_chain.Partition, from, to, cancellationToken))
        {
            try
            {
                SlabRecord? read = null;
                for (int n = 0; n < slab.Count; n++)
                {
                    SlabRecord record = slab.Records[n];
                    if (record.Offset < from)
                    {
                        continue;
                    }

                    ReadOnlySpan<byte> value = record.IsDamaged ? default : slab.Value(in record);
                    bool isClick = _reader.TryRead(value, in record, out Click click);
                    int hour = (int)(click.Timestamp / HourMilliseconds);
                    if (records > 0 && (bytes + value.Length > _options.MaxObjectBytes || (isClick && hours.Count >= _options.MaxHours && !hours.ContainsKey(hour))))
                    {
                        isFull = true;
                        break;
                    }

                    records++;
                    bytes += value.Length;
                    until = Math.Max(until, Math.Min(record.Timestamp, now)); // a producer's clock may be far ahead
                    read = record.IsDamaged ? read : record;
                    end = record.Offset + 1;
                    if (isClick)
                    {
                        first = first < 0 ? record.Offset : first;
                        lastClick = record.Offset;
                        rows.Add(in click, record.Offset, record.Timestamp, duplicate: known?.IsRepeat(record.Offset) == true);
                        if (seen is not null)
                        {
                            ids.Add(in click, in record);
                        }

                        hours[hour] = hours.GetValueOrDefault(hour) + 1;
                        if (rows.Count == IClickFiles.RowGroupRows)
                        {
                            MarkRepeats();
                            await AsideAsync(() =>
                            {
                                file.Add(rows);
                                return true;
                            });
                            rows.Clear();
                        }
                    }
                }

                MarkRepeats();
                last = read is SlabRecord marked ? LogMark.Of(slab, in marked) : last;
                end = isFull ? end : Math.Max(end, Math.Min(to, slab.To));
            }
            finally
            {
                slab.Release();
            }

            if (isFull)
            {
                break;
            }

            await Task.Yield();
        }

        _seen = seen;
        _seenUpto = end;
        _recordBytes = records > 1000 ? (double)bytes / records : _recordBytes;
        var adds = new List<ManifestObject>();
        Dictionary<string, byte[]> objects = [];
        if (hours.Count > 0)
        {
            byte[] content = await AsideAsync(() =>
            {
                file.Add(rows);
                return file.Finish();
            });
            string key = ArchiveKeys.Inbox(_chain.Number, first, lastClick);
            objects[key] = content;
            adds.Add(ManifestObject.Of(_files, key, content, first, lastClick + 1, [.. hours.Select(hour => new HourRows(hour.Key, hour.Value))]));
        }

        return new Made(from, end, until, Math.Min(known?.DedupFrom(end) ?? seen?.Oldest ?? end, end), last, adds, objects);

        void MarkRepeats()
        {
            if (seen is not null)
            {
                ids.NoteIn(seen, rows.Duplicates);
            }
        }
    }

    /// <summary>The ids that the records before an offset had, as far as they may still be repeated.</summary>
    private async Task<DuplicateSet> SeenAsync(ArchiveMemory memory, long upto, CancellationToken cancellationToken)
    {
        if (_seen is not null && _seenUpto == upto)
        {
            return _seen;
        }

        var seen = new DuplicateSet(_rule.Horizon, _rule.MaxIds, memory.Ids);
        memory.Ids = null;
        var ids = new RecordIds();
        long from = Math.Max(Math.Min(_record.DedupFrom, upto), _range.Start);
        if (from >= upto || _faults.HasFlag(ArchiveFaults.NoReadingBack))
        {
            return seen;
        }

        await foreach (Slab slab in _log.ReadAsync(_chain.Partition, from, upto, cancellationToken))
        {
            try
            {
                foreach (SlabRecord record in slab.Records)
                {
                    if (record.Offset >= from && record.Offset < upto && !record.IsDamaged && _reader.TryRead(slab.Value(in record), in record, out Click click))
                    {
                        ids.Add(in click, in record);
                    }
                }

                ids.NoteIn(seen);
            }
            finally
            {
                slab.Release();
            }

            await Task.Yield();
        }

        return seen;
    }

    /// <summary>The log's start has passed what was archived: what lies between is lost, and that is noted like all else.</summary>
    private async Task LoseAsync(CancellationToken cancellationToken)
    {
        LogLost(_logger, _chain.Partition, _record.Upto, _range.Start);
        await CommitAsync(
            Entry(ArchiveCause.Lost, _record.Upto, _range.Start) with { DedupFrom = _range.Start }, s_nothing, cancellationToken);
    }

    /// <summary>What was made of a range of the log.</summary>
    private sealed record Made(
        long From, long To, long Until, long DedupFrom, LogMark? Last, IReadOnlyList<ManifestObject> Adds, IReadOnlyDictionary<string, byte[]> Objects);
}
