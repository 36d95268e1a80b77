namespace ClickAggregator.ClickLog.Files;

/// <summary>
/// A place of the log that is damaged: acknowledged clicks that follow each other and cannot be read any more. Where
/// several finds made it, the file, the position and the reason are of one of them.
/// </summary>
/// <param name="Partition">The partition.</param>
/// <param name="FromOffset">The first offset lost.</param>
/// <param name="ToOffset">The offset after the last lost.</param>
/// <param name="File">The segment.</param>
/// <param name="Position">Where in the file, bytes.</param>
/// <param name="Bytes">How many bytes of it are damaged; 0 where they are gone.</param>
/// <param name="Reason">What is wrong there.</param>
public sealed record LogDamage(int Partition, long FromOffset, long ToOffset, string File, long Position, long Bytes, string Reason)
{
    /// <summary>How many records are lost.</summary>
    public long Records => ToOffset - FromOffset;
}
