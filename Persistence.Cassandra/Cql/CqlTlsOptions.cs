namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>Whether and how connections are encrypted.</summary>
public sealed class CqlTlsOptions
{
    /// <summary>Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>A PEM file of the authorities that are trusted, one at least. Default none: those of the machine.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>
    /// Whether the certificate has to name the host that was connected to: the contact point's name, or for a node that
    /// was discovered its address. Default true; false is open to whoever holds any certificate of the authority.
    /// </summary>
    public bool CheckHostName { get; set; } = true;
}
