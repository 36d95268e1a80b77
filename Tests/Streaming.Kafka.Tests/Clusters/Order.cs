namespace ClickAggregator.Streaming.Kafka.Tests.Clusters;

/// <summary>An item of an application's own type.</summary>
[GenerateSerializer]
public sealed record Order([property: Id(0)] int Number, [property: Id(1)] string Text = "");
