namespace ClickAggregator.Streaming;

/// <summary>A fault of a log whose message says all there is to know: it is told without a stack.</summary>
public interface ILogFault;
