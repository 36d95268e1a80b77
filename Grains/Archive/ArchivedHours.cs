namespace ClickAggregator.Grains.Archive;

/// <summary>Which objects hold an hour's clicks, by the record and the index of days.</summary>
internal static class ArchivedHours
{
    /// <param name="record">The record now: it is asked again, since it may change meanwhile.</param>
    /// <param name="days">The index.</param>
    /// <param name="hour">Hours since the epoch.</param>
    /// <param name="faults">See there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<ArchivedHour> FindAsync(
        Func<ArchiveRecord> record, IArchiveDays days, int hour, ArchiveFaults faults, CancellationToken cancellationToken)
    {
        while (true)
        {
            ArchiveRecord now = record();
            DayIndex day = await days.ReadAsync(now.Chain.Number, hour / 24, cancellationToken);
            if (record().Entries != now.Entries || record().Pending != now.Pending)
            {
                continue; // what the index says and what the record says would be of two moments
            }

            // The index may be ahead by an entry that is not complete: its clicks are still where they were, or are being rewritten there.
            Dictionary<string, string> rewriting = Rewriting(now);
            IEnumerable<ArchivedObject> moved = day.Objects
                .Where(one => one.Hour == hour && day.Archive == now.FirstHash && (one.Entry <= now.Entries || one.Was is not null || faults.HasFlag(ArchiveFaults.BothCopies)))
                .Select(one => one.Was is not null && one.Entry > now.Entries
                    ? new ArchivedObject(one.Key, one.Was, one.Bytes, one.Rows, one.Rows, one.From, one.To, one.Entry, one.Sha256)
                    : new ArchivedObject(
                        one.Key, one.Sha256, one.Bytes, one.Rows, one.Rows, one.From, one.To, one.Entry, rewriting.GetValueOrDefault(one.Key), FooterOf(one.Key, one.Footer)));
            IEnumerable<ArchivedObject> waiting = now.Inbox
                .Select(one => (Object: one, one.Left.FirstOrDefault(left => left.Hour == hour).Rows))
                .Where(one => one.Rows > 0)
                .Select(one => new ArchivedObject(
                    one.Object.Key, one.Object.Sha256, one.Object.Bytes, one.Object.Rows, one.Rows, one.Object.From, one.Object.To, one.Object.Entry,
                    rewriting.GetValueOrDefault(one.Object.Key), FooterOf(one.Object.Key, one.Object.Footer)));
            return new ArchivedHour(now.Upto, [.. moved.Concat(waiting).OrderBy(one => one.From).ThenBy(one => one.Key, StringComparer.Ordinal)]);

            ObjectFooter? FooterOf(string key, ObjectFooter? footer) => rewriting.ContainsKey(key) ? null : footer;
        }
    }

    /// <summary>The hours of some days, and all that wait in the inbox. What moves meanwhile is in what is read last.</summary>
    public static async Task<IReadOnlyList<int>> ListAsync(
        ArchiveRecord record, IArchiveDays index, IReadOnlyList<int> days, CancellationToken cancellationToken)
    {
        var hours = record.Inbox.SelectMany(one => one.Left).Select(left => left.Hour).ToHashSet();
        foreach (int day in days)
        {
            hours.UnionWith((await index.ReadAsync(record.Chain.Number, day, cancellationToken)).Objects.Select(one => one.Hour));
        }

        return [.. hours];
    }

    /// <summary>Objects that an entry in the making rewrites, and the SHA-256 that they get.</summary>
    private static Dictionary<string, string> Rewriting(ArchiveRecord record)
    {
        if (record.Pending is not { } pending)
        {
            return [];
        }

        ManifestEntry entry = ManifestFormat.Read(System.Text.Encoding.UTF8.GetBytes(pending), "the intent");
        return entry.Adds.Where(one => one.Was is not null).ToDictionary(one => one.Key, one => one.Sha256, StringComparer.Ordinal);
    }
}
