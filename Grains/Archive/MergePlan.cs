namespace ClickAggregator.Grains.Archive;

/// <summary>Which hours move from which objects of the inbox into the table next.</summary>
internal sealed class MergePlan
{
    private const long HourMilliseconds = 3_600_000;
    private const long Ahead = 2 * HourMilliseconds;

    /// <summary>So many clicks of one hour are moved at once, though the hour was moved before.</summary>
    private const long ManyRows = 100_000;

    /// <summary>So many hours of objects are kept in the record before some are moved early.</summary>
    private const int ManyHours = 5_000;

    /// <summary>Hours of one merge.</summary>
    private const int MostHours = 256;

    private readonly Dictionary<string, List<int>> _hours = new(StringComparer.Ordinal);

    /// <summary>The objects that are read, in the order of their offsets, with the hours that move out of each.</summary>
    public IReadOnlyList<(InboxObject Source, IReadOnlyList<int> Hours)> Sources { get; private set; } = [];

    /// <summary>What is to be moved now; null for nothing.</summary>
    /// <param name="record">The chain's record.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="until">Everything that the log took until this moment is archived: milliseconds since the epoch.</param>
    /// <param name="damaged">Objects that cannot be read: hours that have clicks in one of them stay where they are.</param>
    public static MergePlan? Next(ArchiveRecord record, ArchiveOptions options, long until, IReadOnlySet<string> damaged)
    {
        long grace = (long)options.MergeGrace.TotalMilliseconds;
        long late = (long)options.LateAfter.TotalMilliseconds;
        bool many = record.Inbox.Count > options.MaxInboxObjects || record.Inbox.Sum(one => one.Left.Count) > ManyHours;
        var movedAt = record.Merged.ToDictionary(hour => hour.Hour, hour => hour.At);
        var rows = new SortedDictionary<int, long>();
        var stuck = new HashSet<int>();
        foreach (InboxObject source in record.Inbox)
        {
            foreach (HourRows hour in source.Left)
            {
                rows[hour.Hour] = rows.GetValueOrDefault(hour.Hour) + hour.Rows;
                if (damaged.Contains(source.Key))
                {
                    stuck.Add(hour.Hour);
                }
            }
        }

        bool IsReady(int hour, long clicks)
        {
            long start = hour * HourMilliseconds;
            if (stuck.Contains(hour))
            {
                return false;
            }

            // Clicks of a time that is yet to come wait for nothing.
            bool isOver = start + HourMilliseconds + grace <= until || start > until + Ahead;
            bool isDue = !movedAt.TryGetValue(hour, out long at) || until - at >= late || clicks >= ManyRows || many;
            return isOver && isDue;
        }

        var plan = new MergePlan();
        long room = options.MergeRows;
        int hours = 0;
        foreach ((int hour, long clicks) in rows)
        {
            if (!IsReady(hour, clicks))
            {
                continue;
            }

            foreach (InboxObject source in record.Inbox)
            {
                long has = source.Left.FirstOrDefault(left => left.Hour == hour).Rows;
                if (has == 0)
                {
                    continue;
                }

                // At least one object's: each is bounded by itself.
                if (plan._hours.Count > 0 && has > room)
                {
                    return plan.Ordered(record);
                }

                room -= has;
                if (!plan._hours.TryGetValue(source.Key, out List<int>? taken))
                {
                    plan._hours[source.Key] = taken = [];
                }

                taken.Add(hour);
            }

            if (++hours >= MostHours)
            {
                break;
            }
        }

        return plan._hours.Count == 0 ? null : plan.Ordered(record);
    }

    private MergePlan Ordered(ArchiveRecord record)
    {
        Sources = [.. record.Inbox.Where(one => _hours.ContainsKey(one.Key)).Select(one => (one, (IReadOnlyList<int>)_hours[one.Key]))];
        return this;
    }
}
