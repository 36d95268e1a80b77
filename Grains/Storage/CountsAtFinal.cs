namespace ClickAggregator.Grains.Storage;

/// <summary>
/// What a window had when its hour was last made final, kept in its row with the first click that comes to it afterwards: so the version of
/// that finalisation can be told while the click waits for the next.
/// </summary>
/// <param name="Version">The version of the finalisation.</param>
/// <param name="Counts">60, by minute; or 4, by quarter of the hour, where the row had no minutes any more.</param>
public sealed record CountsAtFinal(long Version, long[] Counts);
