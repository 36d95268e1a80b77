using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Chain;

/// <content>Taking a partition over.</content>
public sealed partial class PartitionChain
{
    private const int MaxLostRanges = 100;

    /// <summary>
    /// Takes the partition over: fences whoever had it, reads the ids back, replays what is pending. Then it counts.
    /// </summary>
    /// <exception cref="ChainStoppedException">It cannot go on until somebody acts.</exception>
    /// <exception cref="ChainFencedException">Somebody else took it over meanwhile.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            LogId log = await _log.GetLogIdAsync(cancellationToken);
            ChainRecord? stored = await _store.ReadAsync(cancellationToken);
            if (stored is { ClosedAt: null } && stored.Log != log.Value)
            {
                await ThrowReplacedAsync(stored, log, cancellationToken);
            }

            ThrowIfClosed(stored, log.Value);
            LogRange range = await _log.GetRangeAsync(_partition, cancellationToken);
            _end = range.End;
            _record = stored is null ? await FirstRecordAsync(log, range)
                : stored.ClosedAt is null ? stored
                : await NextLogAsync(stored, log, range);
            _countedUntil = Math.Min(_record.CountedUntil, _time.GetUtcNow().ToUnixTimeMilliseconds());
            CheckRange(range);
            await CheckLastAsync(range, cancellationToken);

            // Fences the owner before, before anything else is done: its next intent fails from here on, and what it
            // still has under way carries a lower stamp than the replay.
            // A correction that broke off is no batch to replay: what it left the ledger knows.
            await WriteRecordAsync(
                _record = WithoutSource(_record with { Stamp = _record.Stamp + 1000, Pending = _record.Pending is { } begun && begun.End > begun.Start ? begun : null }),
                cancellationToken);
            await _rulesStore.WriteAsync(_rules, cancellationToken);
            _tops = new TopLists(_batches, _record.Chain);
            _touched = new TouchedHours(_record.Next);
            if (_record.Pending is { } pending && pending.End > pending.Start && !_faults.HasFlag(ChainFaults.NoIntent))
            {
                CountingRules begunWith = await RulesOfAsync(pending, cancellationToken);
                _folder = _folders(begunWith, _record.Chain);
                await RememberAsync(range.Start, pending.Start, cancellationToken);
                await ReplayAsync(_faults.HasFlag(ChainFaults.AnotherEnd) ? pending with { End = range.End } : pending, cancellationToken);
                if (begunWith.Id != _rules.Id)
                {
                    _folder = _folders(_rules, _record.Chain);
                    await RememberAsync(range.Start, _record.Next, cancellationToken);
                }
            }
            else
            {
                _folder = _folders(_rules, _record.Chain);
                await RememberAsync(range.Start, _record.Next, cancellationToken);
            }

            _expected = _record.Next;
            Enter(PartitionState.Counting);
        }
        catch (ChainStoppedException stopped)
        {
            long unsaid = 0;
            if (Said?.IsDue(stopped.Code, out unsaid) != false)
            {
                LogStopped(_logger, _partition, stopped.Message, unsaid);
            }

            Enter(PartitionState.Stopped, stopped.Message);
            throw;
        }
    }

    private async Task ThrowReplacedAsync(ChainRecord old, LogId log, CancellationToken cancellationToken)
    {
        // Of the log that is there nothing is counted: all that is in it is lag, and none of it may be removed.
        _record = new ChainRecord { Log = log.Value };
        _countedUntil = Math.Min(old.CountedUntil, _time.GetUtcNow().ToUnixTimeMilliseconds());
        try
        {
            _end = (await _log.GetRangeAsync(_partition, cancellationToken)).End;
        }
#pragma warning disable CA1031 // a log that was replaced under its readers may refuse to be read: its end is not what matters now
        catch (Exception)
#pragma warning restore CA1031
        {
            _end = 0;
        }

        throw new ChainStoppedException(
            "log_replaced",
            $"log_replaced: partition {_partition} was counted from the log {old.Log} up to offset {old.Next}, and the log is now {log}. "
            + $"{BringBack(old.Log, log.Value)}, or take the new one up with adopt-log --log {log}; its clicks are then counted beside the old ones");
    }

    /// <summary>Takes up the log that is there now, in place of the one that was counted.</summary>
    /// <param name="logId">The new log's id, so that nobody adopts another log than the one they looked at.</param>
    /// <param name="giveUpPending">
    /// A batch of the old log that is half counted and can never be finished is given up: its range is noted as lost. Without
    /// this it is refused.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The log that was left for it before it was counted to an end; null for none.</returns>
    public async Task<LeftLog?> AdoptAsync(string logId, bool giveUpPending, CancellationToken cancellationToken)
    {
        LogId log = await _log.GetLogIdAsync(cancellationToken);
        if (log.Value != logId)
        {
            throw new ChainStoppedException("log_replaced", $"the log is {log}, not {logId}");
        }

        ChainRecord? old = await _store.ReadAsync(cancellationToken);
        if (old is null || (old.Log == logId && old.ClosedAt is null))
        {
            return null;
        }

        ThrowIfClosed(old, logId);
        IReadOnlyList<LostRange> lost = old.Lost;
        if (old.Pending is { } pending && pending.End > pending.Start)
        {
            if (!giveUpPending)
            {
                throw new ChainStoppedException(
                    "log_replaced",
                    $"partition {_partition} has the batch [{pending.Start}, {pending.End}) of the log {old.Log} half counted: it can only be finished with that log. "
                    + "If that is gone for good, adopt-log --half-counted give-up leaves the range as it is, and notes it as lost");
            }

            lost = Lose(lost, new LostRange(pending.Start, pending.End));
        }

        LogRange range = await _log.GetRangeAsync(_partition, cancellationToken);
        ChainRecord first = await FirstRecordAsync(log, range, old);
        LeftLog[] left = [.. LeftBehind(old, logId)];
        await WriteRecordAsync(
            first with
            {
                Next = first.Last is null && first.Next == 0 ? range.Start : first.Next,
                Stamp = old.Stamp + 1000,
                Closed = old.ClosedAt is long end ? [.. old.Closed, new ClosedLog(old.Log, end)] : old.Closed,
                Left = left,
                Lost = lost,
            },
            cancellationToken);
        return old.ClosedAt is null ? left[^1] : null;
    }

    /// <summary>Where the logs stand that are not counted now: one that is taken up again goes on there, and its rows know it.</summary>
    private static IEnumerable<LeftLog> LeftBehind(ChainRecord old, string next)
    {
        IEnumerable<LeftLog> left = old.Left.Where(one => one.Log != next);
        return old.ClosedAt is null
            ? left.Append(new LeftLog(old.Log, Math.Max(old.Next, old.Pending?.End ?? 0), old.DedupFrom, old.Last))
            : left;
    }

    /// <summary>Counts to where the log ends now, and closes it where the chain stands then.</summary>
    public async Task CountToCloseAsync(CancellationToken cancellationToken)
    {
        long end = (await _log.GetRangeAsync(_partition, cancellationToken)).End;
        while (Next < end || HasWork)
        {
            // No more than is needed: while clicks come in, there is always something behind.
            if (!HasWork)
            {
                await ReadToEndAsync(cancellationToken);
            }

            await CommitAsync(cancellationToken);
        }

        await CloseAsync(cancellationToken);
    }

    /// <summary>
    /// Says in the record that this log is counted to where the chain stands, and no further. The chain is over then; the
    /// one of the log that takes its place goes on from the record. Nothing may be buffered.
    /// </summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ThrowIfOver();
            if (_slabs.Count > 0)
            {
                throw new InvalidOperationException($"partition {_partition} has slabs that are not counted");
            }

            await WriteRecordAsync(_record with { Pending = null, ClosedAt = _record.Next, CountedUntil = _countedUntil }, cancellationToken);
            LogClosed(_logger, _partition, _record.Log, _record.Next);
            Enter(PartitionState.Starting);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The first record of a log; where it was counted before and left, it goes on where it was.</summary>
    private async Task<ChainRecord> FirstRecordAsync(LogId log, LogRange range, ChainRecord? before = null)
    {
        LeftLog? left = before?.Left.FirstOrDefault(one => one.Log == log.Value);
        return new ChainRecord
        {
            Log = log.Value,
            Chain = await _chainNumbers(log),
            Next = left?.Next ?? 0,
            DedupFrom = left?.DedupFrom ?? range.Start,
            Last = left?.Last,
            Stamp = 0,
        };
    }

    /// <summary>
    /// A log whose clicks come through this one is closed from the first record on: counted by itself as well, everything in
    /// it would count twice.
    /// </summary>
    private ChainRecord WithoutSource(ChainRecord record) =>
        Source is not { } source || source.Log == record.Log || record.Closed.Any(closed => closed.Log == source.Log)
            ? record
            : record with
            {
                Closed = [.. record.Closed, source with { At = record.Left.FirstOrDefault(left => left.Log == source.Log)?.Next ?? source.At }],
                Left = [.. record.Left.Where(left => left.Log != source.Log)],
            };

    /// <summary>The record of the log that takes the place of one that was closed; stored by whoever takes the partition over.</summary>
    private async Task<ChainRecord> NextLogAsync(ChainRecord closed, LogId log, LogRange range) =>
        await FirstRecordAsync(log, range, closed) with
        {
            Stamp = closed.Stamp,
            CountedUntil = closed.CountedUntil,
            Closed = [.. closed.Closed, new ClosedLog(closed.Log, closed.ClosedAt!.Value)],
            Left = [.. LeftBehind(closed, log.Value)],
            Lost = closed.Lost,
        };

    private void ThrowIfClosed(ChainRecord? record, string log)
    {
        if (record?.ClosingOf(log) is long at)
        {
            throw new ChainStoppedException(
                "log_closed",
                $"log_closed: partition {_partition} counted the log {log} up to offset {at} and no further: what comes behind is counted from the log that took its place. "
                + $"{BringBack(record.Log, log)}; or begin a new log, and take that up with adopt-log");
        }
    }

    /// <summary>The id of a topic of Kafka is its cluster's and its own, with a slash between them; a click log's has none.</summary>
    private static string BringBack(string counted, string found) =>
        counted.Contains('/', StringComparison.Ordinal) && !found.Contains('/', StringComparison.Ordinal)
            ? $"{counted} is a topic of Kafka: start it with its Kafka settings again"
            : "Bring the old log back";

    private void CheckRange(LogRange range)
    {
        long counted = Math.Max(_record.Next, _record.Pending?.End ?? 0);
        if (counted > range.End)
        {
            throw new ChainStoppedException(
                "log_shorter",
                $"log_shorter: partition {_partition} was counted up to offset {counted}, and the log {_record.Log} ends at {range.End}: it was restored from an older copy. "
                + "Bring the newer log back, or restore the store of the same time");
        }

        if (_record.Pending is { } pending && pending.End > pending.Start && pending.Start < range.Start)
        {
            throw new ChainStoppedException(
                "range_lost",
                $"range_lost: partition {_partition} has the batch [{pending.Start}, {pending.End}) half counted, and the log starts at {range.Start} now");
        }

        if (_record.Next < range.Start)
        {
            // Retention overtook the counting. What was lost is said for ever, and counting goes on behind it.
            _record = _record with
            {
                Next = range.Start,
                DedupFrom = range.Start,
                Lost = Lose(_record.Lost, new LostRange(_record.Next, range.Start)),
            };
        }
    }

    /// <summary>Says that a range is lost, and notes it behind the others.</summary>
    private LostRange[] Lose(IReadOnlyList<LostRange> lost, LostRange range)
    {
        LogLost(_logger, _partition, range.From, range.To);
        return [.. lost.TakeLast(MaxLostRanges - 1), range];
    }

    /// <summary>
    /// A log that was restored from an older copy is shorter only until enough was appended to it: then its offsets are
    /// the ones that were counted, and its records are others.
    /// </summary>
    private async Task CheckLastAsync(LogRange range, CancellationToken cancellationToken)
    {
        if (_record.Last is not { } last || last.Offset < range.Start)
        {
            return;
        }

        await foreach (Slab slab in _log.ReadAsync(_partition, last.Offset, last.Offset + 1, cancellationToken))
        {
            try
            {
                // A record that was damaged since says nothing.
                if (LogMark.OfLast([slab]) is { } found && found != last)
                {
                    throw new ChainStoppedException(
                        "log_differs",
                        $"log_differs: partition {_partition} was counted from another record at offset {last.Offset} than the log {_record.Log} has there: it was restored from an older copy and written on. "
                        + "Bring the newer log back, or restore the store of the copy's time");
                }
            }
            finally
            {
                slab.Release();
            }
        }
    }

    private async Task<CountingRules> RulesOfAsync(PendingBatch pending, CancellationToken cancellationToken)
    {
        CountingRules rules = pending.Rules == _rules.Id || _faults.HasFlag(ChainFaults.CurrentRules)
            ? _rules
            : await _rulesStore.ReadAsync(pending.Rules, cancellationToken)
                ?? throw new ChainStoppedException(
                    "rules_missing",
                    $"rules_missing: the batch [{pending.Start}, {pending.End}) of partition {_partition} was begun by the rules {pending.Rules}, which the store does not have");
        return rules.ParserVersion == ClickRecord.ParserVersion
            ? rules
            : throw new ChainStoppedException(
                "parser_version",
                $"parser_version: the batch [{pending.Start}, {pending.End}) of partition {_partition} was begun by parser version {rules.ParserVersion}; this build has {ClickRecord.ParserVersion}. Finish the batch with the build before");
    }

    /// <summary>Reads the ids back that may still be repeated.</summary>
    private async Task RememberAsync(long logStart, long upTo, CancellationToken cancellationToken)
    {
        long from = Math.Max(Math.Min(_record.DedupFrom, upTo), logStart);
        if (from >= upTo)
        {
            return;
        }

        await foreach (Slab slab in _log.ReadAsync(_partition, from, upTo, cancellationToken))
        {
            try
            {
                _folder.Remember(slab, from, upTo);
            }
            finally
            {
                slab.Release();
            }

            Enter(PartitionState.Recovering, $"{(slab.To - from) * 100 / (upTo - from)} % of {upTo - from:N0} records read back");
            await Task.Yield();
        }
    }

    private async Task ReplayAsync(PendingBatch pending, CancellationToken cancellationToken)
    {
        Enter(PartitionState.Recovering, $"replays the batch [{pending.Start}, {pending.End})");
        long lastTime = 0;
        await foreach (Slab slab in _log.ReadAsync(_partition, pending.Start, pending.End, cancellationToken))
        {
            try
            {
                _folder.Fold(slab, pending.Start, pending.End);
                lastTime = slab.Count > 0 ? Math.Max(lastTime, slab.Records[^1].Timestamp) : lastTime;
            }
            finally
            {
                slab.Release();
            }

            await Task.Yield();
        }

        await DeliverAsync(_folder.Complete(), pending.End, cancellationToken);
        NoteCounted(lastTime);
        await WriteRecordAsync(
            _record = _record with
            {
                Next = pending.End,
                Pending = null,
                DedupFrom = Math.Min(_folder.DedupFrom, pending.End),
                CountedUntil = _countedUntil,
            },
            cancellationToken);
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "partition {Partition} stands still: {Message} ({Unsaid} more since this was last said)")]
    private static partial void LogStopped(ILogger logger, int partition, string message, long unsaid);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Information, Message = "partition {Partition}: the log {Log} is counted up to offset {Offset} and closed; another takes its place")]
    private static partial void LogClosed(ILogger logger, int partition, string log, long offset);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Critical, Message = "partition {Partition}: the log lost the offsets [{From}, {To}) before they were counted; their hours are never final")]
    private static partial void LogLost(ILogger logger, int partition, long from, long to);
}
