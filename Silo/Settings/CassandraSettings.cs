using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Settings;

namespace ClickAggregator.Silo.Settings;

/// <summary><c>Cassandra:*</c>: the store of a cluster, and where its silos find each other.</summary>
public sealed class CassandraSettings
{
    private readonly Action<CassandraOptions> _configure;

    private CassandraSettings(Action<CassandraOptions> configure) => _configure = configure;

    /// <summary>Sets the options of whoever uses Cassandra.</summary>
    public void Configure(CassandraOptions options) => _configure(options);

    /// <summary>The options by themselves.</summary>
    public CassandraOptions Options()
    {
        var options = new CassandraOptions();
        _configure(options);
        return options;
    }

    /// <summary>Null where no node is named: then there is no cluster.</summary>
    public static CassandraSettings? Read(SettingReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        IReadOnlyList<string> given = reader.List("Cassandra:ContactPoints", [], 100, "names or addresses without a port, several divided by commas",
            "some nodes of Cassandra; with them this is a cluster, which counts Kafka");
        string[] contacts = [.. given.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        int port = reader.Number("Cassandra:Port", 9042, 1, 65_535, "of all nodes");
        string? dataCenter = reader.OptionalText("Cassandra:LocalDatacenter", "its name", "whose nodes are asked; by default the first node's");
        string keyspace = reader.Text("Cassandra:Keyspace", "clicks", "made where it is missing");
        string? replication = reader.OptionalText("Cassandra:Replication", "a map in CQL, such as {'class': 'NetworkTopologyStrategy', 'dc1': 3}",
            "what the keyspace is made with; by default 3 copies in the local data centre, or as many as it has nodes");
        bool createSchema = reader.Choice("Cassandra:CreateSchema", ["true", "false"], "false: keyspace and tables have to be there") == "true";
        string? user = reader.OptionalText("Cassandra:Username", "a role's name", "none where no password is asked for");
        string? password = reader.OptionalText("Cassandra:Password", "its password", "better given by the environment: Cassandra__Password");
        bool tls = reader.Flag("Cassandra:Tls:Enabled", null, "encrypts, and checks the nodes' certificates");
        string? caFile = reader.OptionalText("Cassandra:Tls:CaFile", "a file of PEM", "authorities to trust instead of the system's");
        if (contacts.Length == 0)
        {
            if (reader.HasAny("Cassandra"))
            {
                reader.Fault("Cassandra:ContactPoints", "must name nodes where another setting of Cassandra is given");
            }

            return null;
        }

        var settings = new CassandraSettings(options =>
        {
            foreach (string contact in contacts)
            {
                options.Cql.ContactPoints.Add(contact);
            }

            options.Cql.Port = port;
            options.Cql.LocalDataCenter = dataCenter ?? "";
            options.Cql.User = user ?? "";
            options.Cql.Password = password ?? "";
            options.Cql.Tls.Enabled = tls;
            options.Cql.Tls.CaFile = caFile ?? "";
            options.Keyspace = keyspace;
            options.Replication = replication ?? "";
            options.CreateSchema = createSchema;
        });
        reader.FaultOptions(settings.Options().Validate().Select(Named), _ => "Cassandra");
        return settings;
    }

    // What the settings are called, where the options have another name.
    private static string Named(string fault) => fault
        .Replace("CqlOptions.User ", "CqlOptions.Username ", StringComparison.Ordinal)
        .Replace(" User ", " Username ", StringComparison.Ordinal)
        .Replace("CqlOptions.Tls.CaFile", "CqlOptions.Tls:CaFile", StringComparison.Ordinal);
}
