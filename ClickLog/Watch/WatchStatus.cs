namespace ClickAggregator.ClickLog.Watch;

/// <summary>How far a followed file is.</summary>
/// <param name="Path">Where it was seen last.</param>
/// <param name="Position">Bytes of it whose clicks are in the click log.</param>
/// <param name="BytesBehind">Bytes of it that are not.</param>
/// <param name="SecondsBehind">How long the oldest of them has waited; 0 for a line that is only half written.</param>
/// <param name="LastSeen">When clicks of it were last appended, milliseconds since the epoch; null for not yet.</param>
/// <param name="BadLines">Lines that were no clicks since the start of the process.</param>
/// <param name="State"><c>reading</c>, <c>at end</c>, <c>half a line</c>, <c>click log full</c>, <c>cannot be read</c>.</param>
public sealed record WatchStatus(
    string Path, long Position, long BytesBehind, double SecondsBehind, long? LastSeen, long BadLines, string State);
