namespace ClickAggregator.Grains;

/// <summary>The counts cannot be read now; the same question may be answered later.</summary>
[GenerateSerializer, Alias("ClickAggregator.StoreUnavailableException")]
public sealed class StoreUnavailableException : Exception
{
    public StoreUnavailableException(string message)
        : base(message)
    {
    }

    public StoreUnavailableException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
