namespace ClickAggregator.Shipper;

/// <summary>Shipping cannot go on until somebody acts; the message says what to do.</summary>
public sealed class ShipperStoppedException(string message, Exception? inner = null) : Exception(message, inner);
