namespace ClickAggregator.Shipper;

/// <summary>What a shipper is doing.</summary>
public enum ShipState
{
    /// <summary>Looks for the brokers, for a topic that fits, or for how far the log was shipped.</summary>
    Connecting,

    /// <summary>Ships.</summary>
    Shipping,

    /// <summary>Stands still until somebody acts: see the detail. It is not tried again.</summary>
    Stopped,
}

/// <summary>How far a shipper is.</summary>
/// <param name="State">What it is doing.</param>
/// <param name="Detail">Why it does not ship; null while it does.</param>
/// <param name="Positions">Per partition of the click log: every offset below is in Kafka. Empty until that is known.</param>
/// <param name="Clicks">Clicks shipped since this process began.</param>
/// <param name="LastShipped">When something was last shipped, milliseconds since the epoch; null for not yet.</param>
public sealed record ShipStatus(
    ShipState State, string? Detail, IReadOnlyList<long> Positions, long Clicks, long? LastShipped);

/// <summary>What waits to be shipped.</summary>
/// <param name="Seconds">How long the oldest click that is not in Kafka has waited since it was appended; 0 where none waits.</param>
/// <param name="Bytes">About how much of the click log waits, bytes: up to 64 KiB a partition too many.</param>
public readonly record struct ShipLag(double Seconds, long Bytes);
