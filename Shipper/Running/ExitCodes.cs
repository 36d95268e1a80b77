namespace ClickAggregator.Shipper.Running;

/// <summary>What the program's end says to whoever started it; the README has the table.</summary>
internal static class ExitCodes
{
    /// <summary>It was told to stop. What is not shipped is said, and shipped by the next start.</summary>
    public const int Done = 0;

    /// <summary>The disk failed, or something that nobody foresaw: starting again is safe.</summary>
    public const int Failed = 1;

    /// <summary>It was called wrongly, or its data directory cannot be used: nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>Another shipper has this click log, the log is not the one that was shipped, or the topic does not fit: starting again does not help.</summary>
    public const int MayNotShip = 3;
}
