using System.Text;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Archive;

/// <content>Taking a chain over.</content>
public sealed partial class ChainArchive
{
    /// <summary>Takes the chain over: fences whoever had it, agrees with the manifest, and finishes what was begun.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="before">The same owner before something failed; null for none.</param>
    /// <exception cref="ChainFencedException">Somebody else took it over meanwhile.</exception>
    /// <exception cref="ChainStoppedException">It cannot go on until somebody acts.</exception>
    public async Task StartAsync(CancellationToken cancellationToken, ChainArchive? before = null)
    {
        ArchiveRecord record = await _stores.Record.ReadAsync(cancellationToken) ?? new ArchiveRecord { Chain = _chain };
        if (record.Chain != _chain)
        {
            throw new ChainStoppedException("chain_differs", $"the record of the archive is of {record.Chain}, and should be of {_chain}");
        }

        if (before is not null && record.Epoch == before._record.Epoch && record.Entries >= before._record.Entries)
        {
            _pass = before._pass; // nobody else had it, and no store went back
        }

        // Fences the owner before: its next intent fails from here on.
        await WriteRecordAsync(record with { Epoch = record.Epoch + 1 }, cancellationToken);
        await AgreeAsync(cancellationToken);
        if (!_faults.HasFlag(ArchiveFaults.NoTakingUp))
        {
            await TakeUpAsync(cancellationToken);
        }

        if (_record.Pending is { } pending)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(pending);
            _range = await _log.GetRangeAsync(_chain.Partition, cancellationToken);
            using IDisposable turn = await _gate.EnterAsync(cancellationToken);
            await FinishAsync(ManifestFormat.Read(bytes, ArchiveKeys.Entry(_chain.Number, _record.Entries + 1)), bytes, null, cancellationToken);
        }

        await CheckLastAsync(cancellationToken);
    }

    /// <summary>Sees whether the archive that is here is the one that the record is of.</summary>
    private async Task AgreeAsync(CancellationToken cancellationToken)
    {
        if (_record.Entries == 0)
        {
            return;
        }

        string key = ArchiveKeys.Entry(_chain.Number, _record.Entries);
        byte[]? head = await _stores.Objects.ReadAsync(key, cancellationToken);
        if (head is not null && ManifestFormat.Hash(head) == _record.LastHash)
        {
            return;
        }

        byte[]? first = await _stores.Objects.ReadAsync(ArchiveKeys.Entry(_chain.Number, 1), cancellationToken);
        if (first is not null && ManifestFormat.Hash(first) == _record.FirstHash)
        {
            throw new ChainStoppedException(
                "manifest_damaged",
                $"manifest_damaged: {key} of the archive is {(head is null ? "gone" : "not what was written")}. Bring it back as it was, from a copy or an older version of the object; "
                + "nothing more is archived of this partition until then");
        }

        if (first is null && await FindAnyAsync(cancellationToken) is { } found)
        {
            throw new ChainStoppedException(
                "manifest_damaged",
                $"manifest_damaged: the manifest {ArchiveKeys.Manifest(_chain.Number)} of the archive is gone, and its objects are there ({found}). Bring it back");
        }

        // Somebody chose another place: what the manifest there says is what is archived there.
        if (first is null)
        {
            LogNewArchive(_logger, _chain.Partition, _record.Upto);
        }
        else
        {
            LogOtherArchive(_logger, _chain.Partition, _record.Upto);
        }

        _record = new ArchiveRecord { Chain = _chain, Epoch = _record.Epoch };
        if (first is null)
        {
            await WriteRecordAsync(_record, cancellationToken);
        }
    }

    private async Task<string?> FindAnyAsync(CancellationToken cancellationToken)
    {
        foreach (string prefix in (string[])[ArchiveKeys.Manifest(_chain.Number), ArchiveKeys.Inbox(_chain.Number), ArchiveKeys.Table])
        {
            await foreach (ArchivedKey one in _stores.Objects.ListAsync(prefix, null, cancellationToken))
            {
                if (prefix != ArchiveKeys.Table || ArchiveKeys.IsOf(one.Key, _chain.Number))
                {
                    return one.Key;
                }
            }
        }

        return null;
    }

    /// <summary>
    /// Reads what the manifest has beyond the record: entries that were complete when the record was written last time or that a
    /// record knew which is no more; the last of them may be in the making.
    /// </summary>
    private async Task TakeUpAsync(CancellationToken cancellationToken)
    {
        long known = _record.Entries;
        (ManifestEntry Entry, byte[] Bytes)? last = null;
        ArchiveRecord record = _record;
        await foreach ((ManifestEntry entry, byte[] bytes) in ReadManifestAsync(_stores.Objects, _chain, _record.Entries, _record.LastHash, cancellationToken))
        {
            if (last is { } before)
            {
                record = await AfterAsync(record, before, entry.Replaces == before.Entry.Number, cancellationToken);
            }

            last = (entry, bytes);
        }

        if (last is { } open && Encoding.UTF8.GetString(open.Bytes) is var text && (record.Entries > known || text != _record.Pending))
        {
            LogTakenUp(_logger, _chain.Partition, known, open.Entry.Number);
            await WriteRecordAsync(record with { Pending = text }, cancellationToken);
        }
    }

    private async Task<ArchiveRecord> AfterAsync(ArchiveRecord record, (ManifestEntry Entry, byte[] Bytes) read, bool isReplaced, CancellationToken cancellationToken)
    {
        string hash = ManifestFormat.Hash(read.Bytes);
        if (isReplaced)
        {
            return record.Without(read.Entry, hash);
        }

        ArchiveRecord after = record.After(read.Entry, hash);
        await IndexAsync(after.FirstHash, read.Entry, cancellationToken);
        return after;
    }

    /// <summary>Reads the entries of a manifest behind one of them, and checks that each follows the one before.</summary>
    /// <exception cref="ChainStoppedException">One does not.</exception>
    internal static async IAsyncEnumerable<(ManifestEntry Entry, byte[] Bytes)> ReadManifestAsync(
        IArchiveObjects objects, ArchiveChain chain, long after, string hash, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? behind = after == 0 ? null : ArchiveKeys.Entry(chain.Number, after);
        await foreach (ArchivedKey listed in objects.ListAsync(ArchiveKeys.Manifest(chain.Number), behind, cancellationToken))
        {
            string expected = ArchiveKeys.Entry(chain.Number, after + 1);
            if (listed.Key != expected)
            {
                throw new ChainStoppedException("manifest_damaged", $"manifest_damaged: {expected} of the archive is gone, and {listed.Key} is there. Bring it back");
            }

            byte[] bytes = await objects.ReadAsync(expected, cancellationToken)
                ?? throw new ArchiveUnavailableException($"{expected} was listed and is not there");
            ManifestEntry entry;
            try
            {
                entry = ManifestFormat.Read(bytes, expected);
            }
            catch (ArchiveDamagedException damaged)
            {
                throw new ChainStoppedException("manifest_damaged", $"manifest_damaged: {damaged.Message}. Bring it back");
            }

            if (entry.Chain != chain)
            {
                throw new ChainStoppedException(
                    "archive_of_another",
                    $"archive_of_another: {expected} is of the log {entry.Chain.Log}, partition {entry.Chain.Partition}, and this is {chain.Log}, partition {chain.Partition}: "
                    + "the archive belongs to another installation, or to one that was begun anew. Choose another place for this one (Archive:Directory, S3:Bucket)");
            }

            if (entry.Number != after + 1 || entry.Previous != hash)
            {
                throw new ChainStoppedException("manifest_damaged", $"manifest_damaged: {expected} of the archive does not follow the entry before it: one of the two was altered. Bring it back");
            }

            yield return (entry, bytes);
            after = entry.Number;
            hash = ManifestFormat.Hash(bytes);
        }
    }

    /// <summary>A log that was restored from an older copy and written on has other records where it was archived.</summary>
    private async Task CheckLastAsync(CancellationToken cancellationToken)
    {
        _range = await _log.GetRangeAsync(_chain.Partition, cancellationToken);
        if (_record.Last is not { } last || last.Offset < _range.Start || last.Offset >= _range.End)
        {
            return;
        }

        await foreach (Slab slab in _log.ReadAsync(_chain.Partition, last.Offset, last.Offset + 1, cancellationToken))
        {
            try
            {
                if (LogMark.OfLast([slab]) is { } found && found != last)
                {
                    throw new ChainStoppedException(
                        "log_differs",
                        $"log_differs: partition {_chain.Partition} was archived from another record at offset {last.Offset} than the log {_chain.Log} has there: it was restored from an older copy and written on");
                }
            }
            finally
            {
                slab.Release();
            }
        }
    }
}
