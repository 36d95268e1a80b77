namespace ClickAggregator.Adapters.Cassandra;

/// <summary>The ring of tokens in equal ranges: whole tables are read range by range.</summary>
internal static class TokenRange
{
    public const int Count = 256;

    /// <summary>The tokens of a range: those above <c>After</c>, up to <c>Last</c>.</summary>
    public static (long After, long Last) Of(int range)
    {
        const long step = long.MaxValue / (Count / 2);
        long after = long.MinValue + (range * step);
        return (after, range == Count - 1 ? long.MaxValue : after + step);
    }
}
