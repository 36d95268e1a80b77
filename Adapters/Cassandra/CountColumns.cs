using System.Buffers.Binary;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

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

    /// <summary>
    /// 60 counts, or null where the column is empty or gone. From its bytes: a query reads very many of them. Keys that are no minutes of
    /// an hour were written by somebody else, and count nowhere.
    /// </summary>
    public static long[]? Minutes(CqlRow row)
    {
        if (!row.TryGetBytes("minutes", out ReadOnlySpan<byte> map) || TakeInt(ref map) is not (> 0 and int count))
        {
            return null;
        }

        long[] minutes = new long[60];
        while (count-- > 0)
        {
            int minute = TakeValue(ref map)[0];
            long clicks = BinaryPrimitives.ReadInt64BigEndian(TakeValue(ref map));
            if (minute < minutes.Length)
            {
                minutes[minute] = clicks;
            }
        }

        return minutes;
    }

    /// <summary>
    /// The hours of a day, from their bytes; null where there are none. An hour with fewer numbers than it has quarters was written by
    /// somebody else: it has no clicks, and is set aside. Keys that are no hours of a day count nowhere.
    /// </summary>
    public static DayHours? Day(CqlRow row)
    {
        if (!row.TryGetBytes("quarters", out ReadOnlySpan<byte> map) || TakeInt(ref map) is not (> 0 and int count))
        {
            return null;
        }

        long[] quarters = new long[96];
        int hours = 0;
        int setAside = 0;
        while (count-- > 0)
        {
            int hour = TakeValue(ref map)[0];
            ReadOnlySpan<byte> element = TakeValue(ref map);
            if (hour >= 24)
            {
                continue;
            }

            int counts = element.Length == 0 ? 0 : TakeInt(ref element);
            for (int n = 0; n < 4 && counts >= 4; n++)
            {
                quarters[(hour * 4) + n] = BinaryPrimitives.ReadInt64BigEndian(TakeValue(ref element));
            }

            hours |= 1 << hour;
            setAside |= counts != 4 ? 1 << hour : 0;
        }

        return new DayHours(quarters, hours, setAside);
    }

    /// <summary>An element of a day: the quarters of an hour, and a fifth number where the hour is set aside.</summary>
    public static long[] Element(WindowRow row) => row.SetAside ? [.. row.Quarters, 1] : row.Quarters;

    private static int TakeInt(ref ReadOnlySpan<byte> bytes)
    {
        int value = BinaryPrimitives.ReadInt32BigEndian(bytes);
        bytes = bytes[4..];
        return value;
    }

    /// <summary>What is inside of a collection: a length and as many bytes.</summary>
    private static ReadOnlySpan<byte> TakeValue(ref ReadOnlySpan<byte> bytes)
    {
        int length = TakeInt(ref bytes);
        ReadOnlySpan<byte> value = bytes[..length];
        bytes = bytes[length..];
        return value;
    }
}

/// <summary>The counts of a day.</summary>
/// <param name="Quarters">96.</param>
/// <param name="Hours">A bit for each hour that was written.</param>
/// <param name="HoursAside">A bit for each hour that is set aside.</param>
internal sealed record DayHours(long[] Quarters, int Hours, int HoursAside)
{
    /// <summary>One of them is set aside.</summary>
    public bool SetAside => HoursAside != 0;

    /// <summary>Whether a window's element is as its row.</summary>
    public bool Agrees(int hourOfDay, WindowRow row)
    {
        int bit = 1 << hourOfDay;
        return (Hours & bit) != 0 && (HoursAside & bit) != 0 == row.SetAside && Quarters.AsSpan(hourOfDay * 4, 4).SequenceEqual(row.Quarters);
    }
}
