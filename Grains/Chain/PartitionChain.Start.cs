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
        Enter(PartitionState.Starting);
        try
        {
            LogId log = await _log.GetLogIdAsync(cancellationToken);
            LogRange range = await _log.GetRangeAsync(_partition, cancellationToken);
            _end = range.End;
            _record = await _store.ReadAsync(cancellationToken) ?? await FirstRecordAsync(log, range);
            if (_record.Log != log.Value)
            {
                string why = $"log_replaced: partition {_partition} was counted from the log {_record.Log} up to offset {_record.Next}, and the log is now {log}. "
                    + "Bring the old log back, or take the new one up with adopt-log; its clicks are then counted beside the old ones";

                // Of this log nothing is counted. The old offset beside its end would look like no lag at all.
                _record = _record with { Next = range.Start };
                throw new ChainStoppedException("log_replaced", why);
            }

            CheckRange(range);

            // Fences the owner before, before anything else is done: its next intent fails from here on, and what it
            // still has under way carries a lower stamp than the replay.
            await WriteRecordAsync(_record = _record with { Stamp = _record.Stamp + 1000 }, cancellationToken);
            await _rulesStore.WriteAsync(_rules, cancellationToken);
            _tops = new TopLists(_batches, _record.Chain);
            if (_record.Pending is { } pending && pending.End > pending.Start && !_faults.HasFlag(ChainFaults.NoIntent))
            {
                CountingRules begunWith = await RulesOfAsync(pending, cancellationToken);
                _folder = _folders(begunWith, _record.Chain);
                await RememberAsync(range.Start, pending.Start, cancellationToken);
                await ReplayAsync(pending, cancellationToken);
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
            LogStopped(_logger, _partition, stopped.Message);
            Enter(PartitionState.Stopped, stopped.Message);
            throw;
        }
    }

    /// <summary>Takes up the log that is there now, in place of the one that was counted.</summary>
    /// <param name="logId">The new log's id, so that nobody adopts another log than the one they looked at.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task AdoptAsync(string logId, CancellationToken cancellationToken)
    {
        LogId log = await _log.GetLogIdAsync(cancellationToken);
        if (log.Value != logId)
        {
            throw new ChainStoppedException("log_replaced", $"the log is {log}, not {logId}");
        }

        ChainRecord? old = await _store.ReadAsync(cancellationToken);
        if (old is null || old.Log == logId)
        {
            return;
        }

        if (old.Pending is { } pending && pending.End > pending.Start)
        {
            throw new ChainStoppedException(
                "log_replaced",
                $"partition {_partition} has the batch [{pending.Start}, {pending.End}) of the log {old.Log} half counted: it can only be finished with that log");
        }

        LogRange range = await _log.GetRangeAsync(_partition, cancellationToken);
        await WriteRecordAsync(
            new ChainRecord
            {
                Log = logId,
                Chain = await _chainNumbers(log),
                Next = range.Start,
                DedupFrom = range.Start,
                Stamp = old.Stamp + 1000,
                Lost = old.Lost,
            },
            cancellationToken);
    }

    private async Task<ChainRecord> FirstRecordAsync(LogId log, LogRange range) => new()
    {
        Log = log.Value,
        Chain = await _chainNumbers(log),
        Next = 0,
        DedupFrom = range.Start,
        Stamp = 0,
    };

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
            var lost = new LostRange(_record.Next, range.Start);
            LogLost(_logger, _partition, lost.From, lost.To);
            _record = _record with { Next = range.Start, DedupFrom = range.Start, Lost = [.. _record.Lost.TakeLast(MaxLostRanges - 1), lost] };
        }
    }

    private async Task<CountingRules> RulesOfAsync(PendingBatch pending, CancellationToken cancellationToken)
    {
        CountingRules rules = pending.Rules == _rules.Id
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
        long lastTime = _countedUntil;
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
        _countedUntil = lastTime;
        await WriteRecordAsync(
            _record = _record with { Next = pending.End, Pending = null, DedupFrom = Math.Min(_folder.DedupFrom, pending.End) }, cancellationToken);
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "partition {Partition} stands still: {Message}")]
    private static partial void LogStopped(ILogger logger, int partition, string message);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Critical, Message = "partition {Partition}: the log lost the offsets [{From}, {To}) before they were counted; their hours are never final")]
    private static partial void LogLost(ILogger logger, int partition, long from, long to);
}
