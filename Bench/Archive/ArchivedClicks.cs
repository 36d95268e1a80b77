using System.Globalization;
using System.Text;
using ClickAggregator.Bench.Load;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Bench.Archive;

/// <summary>Clicks of the kind that <see cref="ZipfClicks"/> sends, spread over an hour, as the archive gets them from the log.</summary>
internal sealed class ArchivedClicks(ArchiveOptions options)
{
    /// <summary>The hour of (nearly) all of them, since the epoch.</summary>
    public const int Hour = 489_955;

    private const long Start = Hour * 3_600_000L;
    private const string Crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    private readonly Random _random = new(1);
    private readonly ZipfRank _zipf = new(options.Ads);
    private readonly byte[] _id = new byte[36];

    /// <summary>Adds clicks with these offsets.</summary>
    public void Add(ClickRows rows, int from, int to)
    {
        for (int n = from; n < to; n++)
        {
            int rank = _zipf.Next(_random);
            long time = Start + (n * 3_600_000L / options.Clicks);
            var click = new Click
            {
                Kind = TargetKind.Ad,
                TargetId = Text($"ad-{rank}"),
                ClickId = NewId(n, time),
                Timestamp = time - _random.Next(200),
                ReceivedAt = time,
                CampaignId = Text($"c-{rank % 200}"),
                UserId = Text($"u-{_random.Next(1_000_000)}"),
                Country = Text(ZipfClicks.Countries[_random.Next(ZipfClicks.Countries.Length)]),
                Device = Text(ZipfClicks.Devices[_random.Next(ZipfClicks.Devices.Length)]),
            };
            bool isDuplicate = _random.Next(100) == 0;
            if (options.Repeats > 0 && rows.Count > 0 && _random.Next(100) < options.Repeats)
            {
                Click earlier = rows[_random.Next(rows.Count)];
                click = click with { TargetId = earlier.TargetId.ToArray(), ClickId = earlier.ClickId.ToArray(), CampaignId = earlier.CampaignId.ToArray() };
            }

            rows.Add(click, n, time + 3, isDuplicate);
        }
    }

    /// <summary>The same clicks as the table has them: by target.</summary>
    public static ClickRows Sorted(ClickRows rows)
    {
        int[] order = [.. Enumerable.Range(0, rows.Count)];
        Array.Sort(order, (one, other) => rows.TargetIds[one].SequenceCompareTo(rows.TargetIds[other]) is int byTarget and not 0 ? byTarget : one.CompareTo(other));
        var sorted = new ClickRows();
        foreach (int row in order)
        {
            sorted.Add(rows[row], rows.Offsets[row], rows.BrokerTimes[row], rows.Duplicates[row]);
        }

        return sorted;
    }

    private ReadOnlySpan<byte> NewId(int n, long time)
    {
        switch (options.Ids)
        {
            case "uuid":
                Guid.NewGuid().TryFormat(_id, out int length);
                return _id.AsSpan(0, length);
            case "text":
                return Text(string.Create(CultureInfo.InvariantCulture, $"x{n:d19}"));
            default:
                for (int digit = 9; digit >= 0; digit--)
                {
                    _id[digit] = (byte)Crockford[(int)(time & 31)];
                    time >>= 5;
                }

                for (int digit = 10; digit < 26; digit++)
                {
                    _id[digit] = (byte)Crockford[_random.Next(32)];
                }

                return _id.AsSpan(0, 26);
        }
    }

    private static byte[] Text(string text) => Encoding.ASCII.GetBytes(text);
}
