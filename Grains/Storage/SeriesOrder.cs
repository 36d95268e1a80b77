namespace ClickAggregator.Grains.Storage;

/// <summary>
/// The order in which stores keep series: that of their bytes in UTF-8. It is the ordinal order but for characters beyond
/// U+FFFF, which come last in it.
/// </summary>
public sealed class SeriesOrder : IComparer<string>
{
    private SeriesOrder()
    {
    }

    public static SeriesOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        int same = x.AsSpan().CommonPrefixLength(y);
        if (same == x.Length || same == y.Length)
        {
            return x.Length - y.Length;
        }

        char left = x[same], right = y[same];
        return char.IsSurrogate(left) == char.IsSurrogate(right) ? left - right : char.IsSurrogate(left) ? 1 : -1;
    }
}
