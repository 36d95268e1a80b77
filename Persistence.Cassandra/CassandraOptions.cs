using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>Where the providers keep what they keep. Providers with equal options share their connections.</summary>
public sealed class CassandraOptions
{
    public CassandraOptions() => Keyspace = "orleans";

    /// <summary>The cluster of Cassandra. Only <see cref="CqlOptions.ContactPoints"/> is required; name the data centre where there are several.</summary>
    public CqlOptions Cql { get; } = new();

    /// <summary>Default <c>orleans</c>; 1 to 48 of the characters a-z 0-9 _, a letter first.</summary>
    public string Keyspace
    {
        get => Cql.Keyspace;
        set => Cql.Keyspace = value;
    }

    /// <summary>
    /// What the keyspace is created with, as in CQL, for example <c>{'class': 'NetworkTopologyStrategy', 'dc1': 3}</c>; a
    /// keyspace that exists is left as it is. Default none: three copies in the local data centre, or as many as it has nodes
    /// where it has fewer.
    /// </summary>
    public string Replication { get; set; } = "";

    /// <summary>
    /// Whether keyspace and tables are created where they are missing. Default true. Where it is false and something is
    /// missing, the start fails; <see cref="SchemaScript"/> prints what is to be run.
    /// </summary>
    public bool CreateSchema { get; set; } = true;

    /// <summary>Whose state and reminders these are. Default none: the ServiceId of Orleans' ClusterOptions.</summary>
    public string ServiceId { get; set; } = "";

    /// <summary>Whose membership this is. Default none: the ClusterId of Orleans' ClusterOptions.</summary>
    public string ClusterId { get; set; } = "";

    /// <summary>
    /// How large the state of a grain may be, in bytes as serialized. Default 3 MiB, 1 KiB to 15 MiB. A node refuses what is not
    /// smaller than half of its <c>commitlog_segment_size</c>, which is 32 MiB unless set otherwise, and does not say so: such
    /// writes time out.
    /// </summary>
    public int MaxStateBytes { get; set; } = 3 << 20;

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> faults = [.. Cql.Validate()];
        if (string.IsNullOrEmpty(Keyspace))
        {
            faults.Add($"{nameof(CassandraOptions)}.{nameof(Keyspace)} {CqlIdentifier.Rule}");
        }

        if (MaxStateBytes is < 1 << 10 or > 15 << 20)
        {
            faults.Add($"{nameof(CassandraOptions)}.{nameof(MaxStateBytes)} must be between 1 KiB and 15 MiB");
        }

        if (Replication.Length > 0 && !KeyspaceReplication.IsValid(Replication))
        {
            faults.Add($"{nameof(CassandraOptions)}.{nameof(Replication)} {KeyspaceReplication.Rule}");
        }

        return faults;
    }

    /// <summary>The settings for a line of diagnostics; the password is masked.</summary>
    public override string ToString() => Cql.ToString();
}
