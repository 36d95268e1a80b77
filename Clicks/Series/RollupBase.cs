namespace ClickAggregator.Clicks;

/// <summary>What a rollup adds clicks up by. The values stand in stored rules: never renumber them.</summary>
public enum RollupBase : byte
{
    Total = 0,
    Kind = 1,
    Target = 2,
    Campaign = 3,
}
