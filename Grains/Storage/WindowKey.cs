using System.Globalization;

namespace ClickAggregator.Grains.Storage;

/// <summary>Names a window row: a series, a UTC hour, and the chain that writes it.</summary>
/// <param name="Series">For example <c>ad:42|country:US</c>. Series hold no <c>@</c>.</param>
/// <param name="Hour">Hours since the Unix epoch.</param>
/// <param name="Chain">The number of the (log, partition) that the clicks came from.</param>
public readonly record struct WindowKey(string Series, int Hour, int Chain)
{
    /// <summary>The key of the window's grain: <c>series@hour@chain</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Series}@{Hour}@{Chain}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">It is not such a key.</exception>
    public static WindowKey Parse(string key)
    {
        int last = key.LastIndexOf('@');
        int middle = last > 0 ? key.LastIndexOf('@', last - 1) : -1;
        if (middle <= 0
            || !int.TryParse(key.AsSpan(middle + 1, last - middle - 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int hour)
            || !int.TryParse(key.AsSpan(last + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int chain))
        {
            throw new FormatException($"'{key}' is not a window key (series@hour@chain)");
        }

        return new WindowKey(key[..middle], hour, chain);
    }
}
