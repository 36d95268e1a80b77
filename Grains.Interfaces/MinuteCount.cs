namespace ClickAggregator.Grains;

/// <summary>Clicks of one minute of an hour.</summary>
/// <param name="Minute">0-59.</param>
/// <param name="Clicks">How many, at least 1.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.MinuteCount")]
public readonly record struct MinuteCount([property: Id(0)] byte Minute, [property: Id(1)] long Clicks);
