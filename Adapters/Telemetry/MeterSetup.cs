using OpenTelemetry.Metrics;

namespace ClickAggregator.Adapters.Telemetry;

/// <summary>Which metrics a process has.</summary>
public static class MeterSetup
{
    /// <summary>
    /// The dashboard takes every metric of Orleans each second, and keeps room for 2,000 tag sets of each unless told otherwise:
    /// 23 MB. They have some dozens, one for each type of grain.
    /// </summary>
    private const int TagSets = 200;

    // Counted by walking over all grains that are known to be awake, each second.
    private const string DirectorySize = "orleans-directory-cache-size";

    /// <summary>Ours, and those of the runtime; with bounds for what Orleans adds.</summary>
    public static MeterProviderBuilder AddClickMeters(this MeterProviderBuilder metrics) => metrics
        .AddMeter("ClickAggregator*")
        .AddMeter("System.Runtime")
        .AddView(static instrument => instrument.Name == DirectorySize
            ? MetricStreamConfiguration.Drop
            : instrument.Meter.Name.StartsWith("ClickAggregator", StringComparison.Ordinal) ? null : new MetricStreamConfiguration { CardinalityLimit = TagSets });
}
