namespace ClickAggregator.ClickLog;

/// <summary>There is no room for the clicks: the log's own bound, or the disk. Nothing of them is in the log for sure.</summary>
public sealed class LogFullException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>More waits to be written than may; try again a moment later.</summary>
public sealed class LogOverloadedException(string message) : IOException(message);

/// <summary>
/// The disk failed to make clicks durable. Nothing is acknowledged any more, because what the disk holds is unknown
/// from here on; the process has to stop.
/// </summary>
public sealed class LogFailedException(string message, Exception inner) : IOException(message, inner);

/// <summary>The data directory is in use by another process, or is not a click log of this kind.</summary>
public sealed class LogUnusableException(string message, Exception? inner = null) : IOException(message, inner);
