namespace ClickAggregator.Grains.Partitions;

/// <summary>Sets of hours, as ranges in ascending order with gaps between them.</summary>
internal static class HourRanges
{
    /// <summary>All hours of some ranges.</summary>
    public static List<HourRange> Joined(IEnumerable<HourRange> ranges)
    {
        var joined = new List<HourRange>();
        foreach (HourRange range in ranges.Where(range => range.From < range.To).OrderBy(range => range.From))
        {
            if (joined.Count > 0 && range.From <= joined[^1].To)
            {
                joined[^1] = joined[^1] with { To = Math.Max(joined[^1].To, range.To) };
            }
            else
            {
                joined.Add(range);
            }
        }

        return joined;
    }

    /// <summary>The hours of a range that are in none of some others, which are ascending.</summary>
    public static List<HourRange> Without(HourRange range, IEnumerable<HourRange> others)
    {
        var left = new List<HourRange>();
        foreach (HourRange other in others)
        {
            if (range.From < Math.Min(other.From, range.To))
            {
                left.Add(range with { To = Math.Min(other.From, range.To) });
            }

            range = range with { From = Math.Max(range.From, other.To) };
        }

        if (range.From < range.To)
        {
            left.Add(range);
        }

        return left;
    }
}
