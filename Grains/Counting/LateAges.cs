namespace ClickAggregator.Grains.Counting;

/// <summary>How late a late click is, for metrics: the time from the end of its hour to its append time.</summary>
public static class LateAges
{
    private static readonly string[] s_names = ["1h", "1d", "7d", "older"];

    /// <summary>How many classes there are.</summary>
    public static int Count => s_names.Length;

    /// <summary>The value of the metric's label <c>age</c>: at most an hour, a day, seven days, or older.</summary>
    public static string Name(int age) => s_names[age];

    internal static int Of(long hoursBehind) => hoursBehind switch
    {
        <= 1 => 0,
        <= 24 => 1,
        <= 7 * 24 => 2,
        _ => 3,
    };
}
