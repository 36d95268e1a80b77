using ClickAggregator.Grains.Chain;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Archive;

/// <content>Clearing the personal fields of a user's clicks.</content>
public sealed partial class ChainArchive
{
    /// <summary>Where an erasure goes on when all objects were looked into.</summary>
    private const string Rest = "rest";

    private static readonly TimeSpan s_sweepEvery = TimeSpan.FromHours(1);
    private long _swept;

    // What was looked into holds only for who has had the chain all the while: another owner begins anew.
    private string _pass = Guid.NewGuid().ToString("N");

    /// <summary>
    /// Looks into the next object, and rewrites it where it holds clicks of the user. The inbox first: what moves from there into the table
    /// afterwards is clean. Then the table; in the end it waits until objects that moved before are deleted. If it throws, a new owner may start over.
    /// </summary>
    /// <param name="order">Whose clicks.</param>
    /// <param name="place">Empty for the beginning, then <see cref="ErasedStretch.Next"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ChainFencedException">Another owner has the chain.</exception>
    public async Task<ErasedStretch> EraseNextAsync(ErasureOrder order, string place, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(place);
        string begin = _pass + ':';
        ErasedStretch one = await EraseNextOfAsync(order, place.StartsWith(begin, StringComparison.Ordinal) ? place[begin.Length..] : "", cancellationToken);
        return one.Next is null ? one : one with { Next = begin + one.Next };
    }

    private async Task<ErasedStretch> EraseNextOfAsync(ErasureOrder order, string after, CancellationToken cancellationToken)
    {
        if (_record.Upto < order.Upto)
        {
            return new ErasedStretch(after, $"the chain is archived up to offset {_record.Upto}, and the user may have clicks up to {order.Upto}", 0, 0, [], []);
        }

        if (after == Rest)
        {
            return await EndErasingAsync(order, cancellationToken);
        }

        bool inTable = after.StartsWith(ArchiveKeys.Table, StringComparison.Ordinal);
        if (!inTable && _record.Inbox.Where(one => one.From < order.Upto && string.CompareOrdinal(one.Key, after) > 0).MinBy(one => one.From) is { } waiting)
        {
            return await EraseAsync(order, waiting.Key, waiting.Sha256, waiting.Bytes, waiting.Footer, waiting.From, waiting.To, cancellationToken);
        }

        return await NextInTableAsync(order, inTable ? after : ArchiveKeys.Table, cancellationToken) is { } moved
            ? await EraseAsync(order, moved.Key, moved.Sha256, moved.Bytes, moved.Footer, moved.From, moved.To, cancellationToken)
            : new ErasedStretch(Rest, null, 0, 0, [], []);
    }

    /// <summary>What an erasure rewrote, by the entries of the manifest that are complete.</summary>
    internal static async Task<ErasedObjects> FindErasedAsync(
        IArchiveObjects objects, ArchiveRecord record, long erasure, long askedAt, long afterEntry, int limit, CancellationToken cancellationToken)
    {
        string hash = "";
        if (afterEntry > 0)
        {
            string key = ArchiveKeys.Entry(record.Chain.Number, afterEntry);
            hash = ManifestFormat.Hash(await objects.ReadAsync(key, cancellationToken) ?? throw new ArchiveUnavailableException($"{key} was there, and is gone"));
        }

        var found = new List<ErasedObject>();
        long count = 0;
        long rows = 0;
        ManifestEntry? before = null;
        await foreach ((ManifestEntry entry, _) in ReadManifestAsync(objects, record.Chain, afterEntry, hash, cancellationToken))
        {
            if (entry.Number > record.Entries)
            {
                break;
            }

            Take(entry.Replaces == before?.Number ? null : before);
            before = entry;
        }

        Take(before);
        return new ErasedObjects(found, count, rows);

        void Take(ManifestEntry? entry)
        {
            if (entry is not { Cause: ArchiveCause.Erase, Erased: > 0 } || entry.Erasure != erasure || entry.ErasureAt != askedAt)
            {
                return;
            }

            rows += entry.Erased;
            foreach (ManifestObject one in entry.Adds)
            {
                count++;
                if (found.Count < limit)
                {
                    found.Add(new ErasedObject(one.Key, record.Chain.Number, entry.Erased, entry.Number, one.Was ?? "", one.Sha256));
                }
            }
        }
    }

    private async Task<DayObject?> NextInTableAsync(ErasureOrder order, string after, CancellationToken cancellationToken)
    {
        string at = after;
        while (true)
        {
            if (ArchiveKeys.TryDay(at, out int day))
            {
                DayIndex index = await _stores.Days.ReadAsync(_chain.Number, day, cancellationToken);
                DayObject? next = index.Archive != _record.FirstHash ? null : index.Objects
                    .Where(one => one.From < order.Upto && string.CompareOrdinal(one.Key, after) > 0).MinBy(one => one.Key, StringComparer.Ordinal);
                if (next is not null)
                {
                    return next;
                }

                at = ArchiveKeys.BehindDay(day);
            }

            // The next day that has objects of any chain.
            string? first = null;
            await foreach (ArchivedKey one in _stores.Objects.ListAsync(ArchiveKeys.Table, at, cancellationToken))
            {
                first = one.Key;
                break;
            }

            if (first is null)
            {
                return null;
            }

            at = first;
        }
    }

    private async Task<ErasedStretch> EraseAsync(
        ErasureOrder order, string key, string sha256, long bytes, ObjectFooter? footer, long from, long to, CancellationToken cancellationToken)
    {
        // Most objects do not know the user, by their filters, which their footers vouch for.
        long read = 0;
        if (footer is { } end)
        {
            var parts = new ObjectParts(_stores.Objects, key, bytes, end);
            if (!await MayHoldAsync(parts, order, cancellationToken))
            {
                return new ErasedStretch(key, null, 1, parts.BytesRead, [], []);
            }

            read = parts.BytesRead;
        }

        using IDisposable turn = await _gate.EnterAsync(cancellationToken);
        byte[]? file = await _stores.Objects.ReadAsync(key, cancellationToken);
        ErasedStretch Done(long cleared, ManifestEntry? entry) => new(
            key, null, 1, read + file!.Length,
            cleared == 0 ? [] : [new ErasedObject(key, _chain.Number, cleared, entry?.Number ?? 0, sha256, entry?.Adds[0].Sha256)],
            []);
        try
        {
            if (file is null || await AsideAsync(() => ManifestFormat.Hash(file)) != sha256)
            {
                await FenceAsync(cancellationToken);
                return Damaged(file is null ? $"{key} of the archive is gone" : $"{key} of the archive is not what was written");
            }

            if (order.DryRun)
            {
                return Done(await AsideAsync(() => ClearedRows.Count(_files, file, order)), null);
            }

            ClearedRows? cleared = await AsideAsync(() => ClearedRows.Make(_files, file, order));
            if (cleared is null)
            {
                return Done(0, null);
            }

            ManifestEntry entry = Entry(ArchiveCause.Erase, from, to) with { Erasure = order.Erasure, ErasureAt = order.AskedAt, Erased = cleared.Cleared };
            (ManifestObject one, byte[] content) = await RewriteAsync(entry, key, sha256, cleared);
            entry = entry with { Adds = [one] };
            await CommitAsync(entry, new Dictionary<string, byte[]>(StringComparer.Ordinal) { [key] = content }, cancellationToken);
            LogErased(_logger, _chain.Partition, order.Erasure, cleared.Cleared, key);
            return Done(cleared.Cleared, entry);
        }
        catch (ArchiveDamagedException damaged)
        {
            return Damaged($"{key} of the archive cannot be read: {damaged.Message}");
        }

        ErasedStretch Damaged(string what)
        {
            LogNotErased(_logger, _chain.Partition, order.Erasure, what);
            return new ErasedStretch(key, null, 1, read + (file?.Length ?? 0), [], [what]);
        }
    }

    private async Task<bool> MayHoldAsync(ObjectParts parts, ErasureOrder order, CancellationToken cancellationToken)
    {
        try
        {
            return await _files.MayHoldAsync(parts, new ClickSearch(UserId: order.UserId), cancellationToken);
        }
        catch (ArchiveDamagedException)
        {
            return true; // it is read whole, and what is wrong with it is told by that
        }
    }

    private async Task<(ManifestObject Object, byte[] Content)> RewriteAsync(ManifestEntry entry, string key, string was, ClearedRows rows)
    {
        byte[] content = await AsideAsync(() => _files.Write(rows.Rows, _chain.Origin, entry.Number));
        HourRows[] hours = [.. rows.Hours.Select(hour => new HourRows(hour.Key, hour.Value))];
        return (ManifestObject.Of(_files, key, content, entry.From, entry.To, hours) with { Was = was }, content);
    }

    /// <summary>
    /// An erasure that was begun and not done. Nobody here knows whose: the clicks are written as they are, and in bytes that are other ones
    /// than before. So the bytes that were begun find nothing to replace, should they land late; and whoever asked asks again.
    /// </summary>
    private async Task<Remade> RemakeEraseAsync(ManifestEntry entry, CancellationToken cancellationToken)
    {
        if (_faults.HasFlag(ArchiveFaults.NoRemakingOfErasures))
        {
            return new Remade(s_nothing, null);
        }

        ManifestEntry next = entry with { Number = entry.Number + 1, Erased = 0 };
        var adds = new List<ManifestObject>();
        var made = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (ManifestObject one in entry.Adds)
        {
            byte[]? file = await _stores.Objects.ReadAsync(one.Key, cancellationToken);
            string? hash = file is null ? null : ManifestFormat.Hash(file);
            if (hash == one.Was)
            {
                ClearedRows rows = await AsideAsync(() => ClearedRows.Same(_files, file!));
                (ManifestObject same, made[one.Key]) = await RewriteAsync(next, one.Key, one.Was!, rows);
                adds.Add(same);
            }
            else if (hash is not null && (await ReplacedHashesAsync(entry, cancellationToken)).TryGetValue(hash, out long erased))
            {
                next = next with { Erased = erased };
                adds.Add(one.With(_files, file!));
            }
            else
            {
                // It stays as the entries before say: should it be brought back, it is what they know.
                LogDamaged(_logger, _chain.Partition, $"{one.Key} of the archive is {(file is null ? "gone" : "not what was written")}");
            }
        }

        return new Remade(made, next with { Adds = adds });
    }

    private async Task<ErasedStretch> EndErasingAsync(ErasureOrder order, CancellationToken cancellationToken)
    {
        if (!order.DryRun)
        {
            int left = _record.Gone.Count(one => !ArchiveKeys.TryOffsets(one.Key, out long first, out _) || first < order.Upto);
            if (left > 0)
            {
                return new ErasedStretch(Rest, $"{left} objects whose clicks moved are deleted soon", 0, 0, [], []);
            }

            await SweepAsync(cancellationToken);
        }

        await FenceAsync(cancellationToken);
        return new ErasedStretch(null, null, 0, 0, [], []);
    }

    /// <summary>
    /// What was found wrong, or all well, may be so only for an owner that was replaced: that one ends here. Or for one whose record
    /// was put back while an entry was on its way to the manifest: that one starts over.
    /// </summary>
    private async Task FenceAsync(CancellationToken cancellationToken)
    {
        await WriteRecordAsync(_record, cancellationToken);
        string next = ArchiveKeys.Entry(_chain.Number, _record.Entries + 1);
        if (await _stores.Objects.ReadAsync(next, cancellationToken) is not null)
        {
            throw new ArchiveUnavailableException($"{next} is there, and the record does not know it: it is brought up to the archive");
        }
    }

    private async Task SweepIfDueAsync(CancellationToken cancellationToken)
    {
        if (_swept == 0 || _time.GetElapsedTime(_swept) >= s_sweepEvery)
        {
            await SweepAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Deletes objects of the inbox that were taken away and are there again: an owner that was replaced long ago may have written them just
    /// then. Whatever lies below <see cref="ArchiveRecord.Upto"/> and is not known is one of these, also to an owner that knows only older entries.
    /// </summary>
    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        HashSet<string> known = [.. _record.Inbox.Select(one => one.Key), .. _record.Gone.Select(one => one.Key)];
        var over = new List<string>();
        await foreach (ArchivedKey one in _stores.Objects.ListAsync(ArchiveKeys.Inbox(_chain.Number), null, cancellationToken))
        {
            if (!known.Contains(one.Key) && ArchiveKeys.TryOffsets(one.Key, out _, out long last) && last < _record.Upto)
            {
                over.Add(one.Key);
            }
        }

        foreach (string key in over)
        {
            await _stores.Objects.DeleteAsync(key, cancellationToken);
        }

        _swept = _time.GetTimestamp();
    }

    [LoggerMessage(EventId = 2407, Level = LogLevel.Information, Message = "partition {Partition}: erasure {Erasure} cleared the personal fields of {Clicks} clicks in {Key}")]
    private static partial void LogErased(ILogger logger, int partition, long erasure, long clicks, string key);

    [LoggerMessage(EventId = 2408, Level = LogLevel.Error, Message = "partition {Partition}: erasure {Erasure}: {Message}; whether it holds the user is not known")]
    private static partial void LogNotErased(ILogger logger, int partition, long erasure, string message);
}
