namespace ClickAggregator.Grains.Archive;

/// <content>From the inbox into the table.</content>
public sealed partial class ChainArchive
{
    private async Task<bool> MergeIfDueAsync(CancellationToken cancellationToken)
    {
        // Where nothing waits in the log, no record of an hour that is over can come but late ones.
        long until = Math.Max(_record.Until, _record.Upto >= _range.Head ? _allUntil : 0);
        if (MergePlan.Next(_record, _options, until, _damaged) is not { } plan)
        {
            return false;
        }

        using ArchiveGate.Turn turn = await _gate.EnterAsync(cancellationToken);
        IReadOnlyList<(ManifestObject Object, byte[] Content)> moved;
        try
        {
            moved = await MoveAsync(plan.Sources, cancellationToken);
        }
        catch (SourceDamagedException damaged)
        {
            await FenceAsync(cancellationToken);
            LogDamaged(_logger, _chain.Partition, damaged.Message);
            _damaged.Add(damaged.Key);
            return true;
        }

        ManifestEntry entry = Entry(ArchiveCause.Merge, moved.Min(one => one.Object.From), moved.Max(one => one.Object.To)) with
        {
            Adds = [.. moved.Select(one => one.Object)],
            Takes = [.. plan.Sources.Select(one => new TakenRows(one.Source.Key, one.Hours, one.Source.Left.All(left => one.Hours.Contains(left.Hour))))],
        };
        await CommitAsync(entry, moved.ToDictionary(one => one.Object.Key, one => one.Content, StringComparer.Ordinal), cancellationToken);
        return true;
    }

    /// <summary>Makes the table's objects of some hours.</summary>
    /// <exception cref="SourceDamagedException">An object of the inbox is not what the manifest says.</exception>
    private async Task<IReadOnlyList<(ManifestObject Object, byte[] Content)>> MoveAsync(
        IReadOnlyList<(InboxObject Source, IReadOnlyList<int> Hours)> sources, CancellationToken cancellationToken)
    {
        var hours = new SortedDictionary<int, ClickRows>();
        var rows = new ClickRows();
        foreach ((InboxObject source, IReadOnlyList<int> wanted) in sources)
        {
            byte[] file = await _stores.Objects.ReadAsync(source.Key, cancellationToken)
                ?? throw new SourceDamagedException(source.Key, $"{source.Key} of the archive is gone");
            if (ManifestFormat.Hash(file) != source.Sha256)
            {
                throw new SourceDamagedException(source.Key, $"{source.Key} of the archive is not what was written");
            }

            await AsideAsync(() =>
            {
                Pick(file, wanted.ToHashSet(), rows, hours);
                return true;
            });
        }

        var made = new List<(ManifestObject, byte[])>();
        foreach ((int hour, ClickRows clicks) in hours)
        {
            byte[] content = await AsideAsync(() => _files.WriteByTarget(clicks, _chain.Origin));
            long first = clicks.Offsets[0];
            long last = clicks.Offsets[^1];
            made.Add((
                ManifestObject.Of(_files, ArchiveKeys.Merged(_chain.Number, hour, first, last), content, first, last + 1, [new HourRows(hour, clicks.Count)]), content));
        }

        return made;
    }

    private void Pick(byte[] file, HashSet<int> wanted, ClickRows rows, SortedDictionary<int, ClickRows> hours)
    {
        foreach (int count in _files.Read(file, rows, ClickColumns.All))
        {
            for (int row = 0; row < count; row++)
            {
                int hour = (int)(rows.Timestamps[row] / HourMilliseconds);
                if (!wanted.Contains(hour))
                {
                    continue;
                }

                if (!hours.TryGetValue(hour, out ClickRows? clicks))
                {
                    hours[hour] = clicks = new ClickRows();
                }

                clicks.Add(rows, row);
            }
        }
    }

    /// <summary>
    /// Deletes objects whose clicks are all elsewhere, once the stored record says so, and some time after, for those who are reading
    /// them.
    /// </summary>
    private async Task<bool> DeleteGoneAsync(CancellationToken cancellationToken)
    {
        if (_record.Gone.Any(one => one.Since is null))
        {
            await WriteRecordAsync(_record with { Gone = [.. _record.Gone.Select(one => one with { Since = one.Since ?? Now })] }, cancellationToken);
        }

        long before = Now - (long)_options.TakenAwayAfter.TotalMilliseconds;
        GoneObject[] over = [.. _record.Gone.Where(one => one.Since <= before)];
        if (over.Length == 0)
        {
            return false;
        }

        foreach (GoneObject gone in over)
        {
            await _stores.Objects.DeleteAsync(gone.Key, cancellationToken);
        }

        await WriteRecordAsync(_record with { Gone = [.. _record.Gone.Except(over)] }, cancellationToken);
        return true;
    }

    private sealed class SourceDamagedException(string key, string message) : Exception(message)
    {
        public string Key { get; } = key;
    }
}
