namespace ClickAggregator.Grains.Chain;

/// <summary>Up to where batches touched the hours, since an owner has the chain. Not safe for concurrent use.</summary>
/// <param name="next">Where the owner begins: what was before it does not know.</param>
/// <param name="most">How many hours are remembered; at least 1.</param>
internal sealed class TouchedHours(long next, int most = 10_000)
{
    private readonly Dictionary<int, long> _ends = [];
    private long _knownFrom = next;

    /// <summary>A batch that ends there touches hours.</summary>
    public void Note(IEnumerable<int> hours, long end)
    {
        foreach (int hour in hours)
        {
            _ends[hour] = Math.Max(_ends.GetValueOrDefault(hour), end);
        }

        if (_ends.Count > most)
        {
            _ends.Clear();
            _knownFrom = Math.Max(_knownFrom, end);
        }
    }

    /// <summary>Whether it is certain that no batch which ends beyond an offset has touched an hour of <c>[fromHour, toHour)</c>.</summary>
    public bool NoneBeyond(long upto, int fromHour, int toHour)
    {
        if (upto < _knownFrom)
        {
            return false;
        }

        for (int hour = fromHour; hour < toHour; hour++)
        {
            if (_ends.GetValueOrDefault(hour) > upto)
            {
                return false;
            }
        }

        return true;
    }
}
