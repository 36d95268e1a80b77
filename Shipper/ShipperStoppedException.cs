namespace ClickAggregator.Shipper;

/// <summary>Shipping cannot go on until somebody acts; the message says what to do.</summary>
public class ShipperStoppedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The topic is there and no log can be made of it; the message has the command for each thing to change.</summary>
public sealed class TopicUnfitException(string message) : ShipperStoppedException(message);
