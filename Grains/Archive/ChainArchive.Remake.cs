using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Archive;

/// <content>Objects of an entry that an owner before left unwritten.</content>
public sealed partial class ChainArchive
{
    private async Task<bool> AreThereAsync(ManifestEntry entry, CancellationToken cancellationToken)
    {
        foreach (ManifestObject one in entry.Adds)
        {
            if (!await IsThereAsync(one, cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> IsThereAsync(ManifestObject one, CancellationToken cancellationToken) =>
        await _stores.Objects.ReadAsync(one.Key, cancellationToken) is { } content && ManifestFormat.Hash(content) == one.Sha256;

    /// <summary>
    /// Makes an entry's objects again. Where they do not come out as the entry says (another version of the file format, a log that
    /// lost records meanwhile), an entry that takes its place.
    /// </summary>
    private Task<Remade> RemakeAsync(ManifestEntry entry, CancellationToken cancellationToken) => entry.Cause switch
    {
        ArchiveCause.Write => RemakeWriteAsync(entry, cancellationToken),
        ArchiveCause.Merge => RemakeMergeAsync(entry, cancellationToken),
        ArchiveCause.Erase => RemakeEraseAsync(entry, cancellationToken),
        _ => Task.FromResult(new Remade(s_nothing, null)),
    };

    private async Task<Remade> RemakeWriteAsync(ManifestEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            if (entry.From >= _range.Start)
            {
                Made made = await MakeAsync(new ArchiveMemory(), entry.From, entry.To, null, cancellationToken);
                bool isSame = made.To == entry.To && IsSame(entry, made.Adds);
                return new Remade(made.Objects, isSame ? null : Written(made));
            }
        }
        catch (OffsetOutOfRangeException) when (!cancellationToken.IsCancellationRequested)
        {
            _range = await _log.GetRangeAsync(_chain.Partition, cancellationToken);
            if (entry.From >= _range.Start)
            {
                throw;
            }
        }

        LogLost(_logger, _chain.Partition, entry.From, _range.Start);
        return new Remade(s_nothing, Entry(ArchiveCause.Lost, entry.From, _range.Start) with { DedupFrom = _range.Start });
    }

    private async Task<Remade> RemakeMergeAsync(ManifestEntry entry, CancellationToken cancellationToken)
    {
        var inbox = _record.Inbox.ToDictionary(one => one.Key, StringComparer.Ordinal);
        try
        {
            IReadOnlyList<(ManifestObject Object, byte[] Content)> moved =
                await MoveAsync([.. entry.Takes.Select(taken => (inbox[taken.Key], taken.Hours))], cancellationToken);
            ManifestObject[] adds = [.. moved.Select(one => one.Object)];
            return new Remade(
                moved.ToDictionary(one => one.Object.Key, one => one.Content, StringComparer.Ordinal), IsSame(entry, adds) ? null : entry with { Adds = adds });
        }
        catch (SourceDamagedException damaged)
        {
            LogDamaged(_logger, _chain.Partition, damaged.Message);
            _damaged.Add(damaged.Key);
        }

        foreach (ManifestObject one in entry.Adds)
        {
            if (await _stores.Objects.ReadAsync(one.Key, cancellationToken) is not null)
            {
                // Written, and damaged since, as its source: it stays as the entry says, so that whoever reads it notices.
                return new Remade(s_nothing, null);
            }
        }

        // Nothing was moved: the clicks are where they were, and so is the damage.
        return new Remade(s_nothing, Entry(ArchiveCause.Merge, entry.From, entry.To));
    }

    private bool IsSame(ManifestEntry entry, IReadOnlyList<ManifestObject> adds) => _faults.HasFlag(ArchiveFaults.NoComparison)
        || entry.Adds.Select(one => (one.Key, one.Sha256)).SequenceEqual(adds.Select(one => (one.Key, one.Sha256)));

    /// <summary>Uses up the entry's number, and commits the one that takes its place.</summary>
    private async Task ReplaceAsync(
        ManifestEntry entry, byte[] bytes, ManifestEntry replacement, IReadOnlyDictionary<string, byte[]> made, CancellationToken cancellationToken)
    {
        string hash = ManifestFormat.Hash(bytes);
        LogReplaced(_logger, _chain.Partition, entry.Number, entry.Number + 1);
        _record = _record.Without(entry, hash);
        await CommitAsync(
            replacement with { Number = entry.Number + 1, Previous = hash, Replaces = entry.Number }, made, cancellationToken);
    }

    /// <summary>What was made again, and the entry that takes the other's place where that is not what it says.</summary>
    private sealed record Remade(IReadOnlyDictionary<string, byte[]> Made, ManifestEntry? Replacement);
}
