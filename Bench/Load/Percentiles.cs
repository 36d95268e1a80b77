using System.Globalization;

namespace ClickAggregator.Bench.Load;

/// <summary>How long something took, in a line.</summary>
internal static class Percentiles
{
    /// <param name="times">Milliseconds; they are sorted.</param>
    public static string Of(List<double> times)
    {
        if (times.Count == 0)
        {
            return "none";
        }

        times.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"p50 {At(0.5):F1} ms, p99 {At(0.99):F1} ms, max {times[^1]:F1} ms ({times.Count:N0})");
        double At(double p) => times[Math.Min(times.Count - 1, (int)(times.Count * p))];
    }
}
