using System.Globalization;

namespace ClickAggregator.Bench.Queries;

/// <summary>How often each ad was clicked in each quarter-hour: by Zipf's law, evenly over the day; the same in every run.</summary>
internal sealed class MadeDays(int ads, int dayClicks)
{
    private const int Quarters = 96;
    private readonly double _first = dayClicks / Enumerable.Range(1, ads).Sum(rank => 1.0 / rank);

    public static string Id(int ad) => string.Create(CultureInfo.InvariantCulture, $"ad-{ad}");

    public long[] QuartersOf(int ad, int day)
    {
        double clicks = _first / (ad + 1);
        double shift = ((((ad * 7919L) + (day * 104_729L)) * 2_654_435_761L) & 0xFFFF) / 65_536.0;
        long[] quarters = new long[Quarters];
        for (int n = 0; n < Quarters; n++)
        {
            quarters[n] = (long)((clicks * (n + 1) / Quarters) + shift) - (long)((clicks * n / Quarters) + shift);
        }

        return quarters;
    }

    /// <summary>The minutes of an hour of these quarters.</summary>
    public static long[] Minutes(ReadOnlySpan<long> hour)
    {
        long[] minutes = new long[60];
        for (int n = 0; n < 60; n++)
        {
            long of = hour[n / 15];
            minutes[n] = (of * ((n % 15) + 1) / 15) - (of * (n % 15) / 15);
        }

        return minutes;
    }
}
