using System.Globalization;
using System.Text.RegularExpressions;

namespace ClickAggregator.Persistence.Cassandra.Schema;

/// <summary>The replication of a keyspace as an option: a map in CQL, and nothing that could be another statement.</summary>
internal static partial class KeyspaceReplication
{
    public const string Rule =
        "must be a map such as {'class': 'NetworkTopologyStrategy', 'dc1': 3}: names in single quotes, of letters, digits, and _ . : / -, and numbers";

    /// <summary>As many copies as are usual, or as the data centre has nodes.</summary>
    public static string For(string dataCenter, int nodes) => string.Create(
        CultureInfo.InvariantCulture, $"{{'class': 'NetworkTopologyStrategy', '{dataCenter}': {Math.Clamp(nodes, 1, 3)}}}");

    /// <summary>Copies in a data centre, of a row of <c>system_schema.keyspaces</c>; null where the strategy is another one.</summary>
    public static int? Copies(IReadOnlyDictionary<string, string> replication, string dataCenter)
    {
        string of = replication.GetValueOrDefault("class", "").EndsWith("SimpleStrategy", StringComparison.Ordinal) ? "replication_factor" : dataCenter;
        return int.TryParse(replication.GetValueOrDefault(of), NumberStyles.None, CultureInfo.InvariantCulture, out int copies) ? copies : null;
    }

    public static bool IsValid(string text) => Map().IsMatch(text);

    [GeneratedRegex(@"^\{\s*'class'\s*:\s*'[A-Za-z.]+'(\s*,\s*'[A-Za-z0-9_.:/ -]+'\s*:\s*'?[0-9]{1,3}'?)*\s*\}$", RegexOptions.CultureInvariant)]
    private static partial Regex Map();
}
