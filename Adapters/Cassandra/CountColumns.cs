using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>Counts as they stand in columns.</summary>
internal static class CountColumns
{
    private static readonly Dictionary<sbyte, long> s_none = [];

    /// <summary>
    /// The minutes that have clicks. Never null and never a tombstone: where minutes were forgotten it is the empty map, whose
    /// cell orders itself among the writes like any other; where all are 0, one that says so.
    /// </summary>
    public static Dictionary<sbyte, long> Minutes(long[]? minutes)
    {
        if (minutes is null)
        {
            return s_none;
        }

        var map = new Dictionary<sbyte, long>();
        for (int minute = 0; minute < minutes.Length; minute++)
        {
            if (minutes[minute] != 0)
            {
                map.Add((sbyte)minute, minutes[minute]);
            }
        }

        if (map.Count == 0)
        {
            map.Add(0, 0);
        }

        return map;
    }

    /// <summary>60 counts, or null where the column is empty or gone.</summary>
    public static long[]? Minutes(Dictionary<sbyte, long> map)
    {
        if (map.Count == 0)
        {
            return null;
        }

        long[] minutes = new long[60];
        foreach ((sbyte minute, long clicks) in map)
        {
            if (minute is >= 0 and < 60)
            {
                minutes[minute] = clicks;
            }
        }

        return minutes;
    }

    /// <summary>An element of a day: the quarters of an hour, and a fifth number where the hour is set aside.</summary>
    public static long[] Element(WindowRow row) => row.SetAside ? [.. row.Quarters, 1] : row.Quarters;

    public static bool IsAside(long[] element) => element.Length != 4;

    /// <summary>The sum of an element's quarters.</summary>
    public static long ClicksOf(long[] element)
    {
        long clicks = 0;
        for (int n = 0; n < 4 && n < element.Length; n++)
        {
            clicks += element[n];
        }

        return clicks;
    }
}
