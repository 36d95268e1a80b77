namespace ClickAggregator.Grains.Erasing;

/// <summary>Erasures, the earliest first.</summary>
public sealed class ErasuresDocument
{
    /// <summary>The number of the next one.</summary>
    public long Next { get; set; } = 1;

    public List<KeptErasure> Erasures { get; set; } = [];
}

/// <summary>An erasure and how far it is.</summary>
public sealed class KeptErasure
{
    public required Erasure Erasure { get; set; }

    /// <summary>Whose clicks; gone once it is done.</summary>
    public string? UserId { get; set; }

    /// <summary>The chains, by number; none before it began.</summary>
    public List<ChainErasure> Chains { get; set; } = [];
}

/// <summary>How far one chain's archive is looked through.</summary>
public sealed class ChainErasure
{
    public int Chain { get; set; }

    /// <summary>Entries of the chain's manifest when it began.</summary>
    public long FromEntry { get; set; }

    /// <summary>Clicks below this offset came before it was asked for; null while that is not known.</summary>
    public long? Upto { get; set; }

    /// <summary>Where to go on.</summary>
    public string Place { get; set; } = "";

    public bool IsDone { get; set; }
}
