namespace ClickAggregator.Api.Settings;

/// <summary>Which top-level sections of the configuration are ours, and which of them wait for a later version.</summary>
internal static class Sections
{
    public static readonly string[] Own =
        ["DataDirectory", "Demo", "Watch", "ClickLog", "Ingest", "Duplicates", "Batch", "Rollups", "Retention", "Limits", "Archive",
            "Redirect", "Cors", "Shutdown", "Kafka", "Shipper"];

    private static readonly (string Section, string What)[] Later =
    [
        ("Cassandra", "Cassandra as the store"),
        ("S3", "the archive in S3"),
        ("Cluster", "several silos"),
        ("Reconciliation", "reconciliation"),
        ("Keys", "API keys"),
    ];

    public static IEnumerable<string> NotYetNames => Later.Select(later => later.Section);

    /// <summary>Why this name is refused, or null if it is not one of a later version.</summary>
    public static string? NotYet(string name)
    {
        foreach ((string section, string what) in Later)
        {
            if (name.Equals(section, StringComparison.OrdinalIgnoreCase) || name.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase))
            {
                return $"{name} is not in this version yet ({what}): it runs as one process, on local disk or with Kafka";
            }
        }

        return null;
    }

    /// <summary><c>Watch:Files:2</c> is an item of <c>Watch:Files</c>.</summary>
    public static bool IsItemOf(string name, string list) =>
        name.Length > list.Length + 1
        && name.StartsWith(list, StringComparison.OrdinalIgnoreCase)
        && name[list.Length] == ':'
        && uint.TryParse(name.AsSpan(list.Length + 1), out _);

    /// <summary><c>Kafka:Client:acks</c> is in <c>Kafka:Client:*</c>.</summary>
    public static bool IsIn(string name, string map) =>
        name.Length >= map.Length && name.StartsWith(map[..^1], StringComparison.OrdinalIgnoreCase);

    /// <summary><c>, did you mean X?</c> for a typo of up to three letters; else nothing.</summary>
    public static string Nearest(string given, IReadOnlyList<SettingRow> table)
    {
        string? best = null;
        int least = 4;
        foreach (SettingRow row in table)
        {
            foreach (string? candidate in (string?[])[given.StartsWith("--", StringComparison.Ordinal) ? row.Switch : null,
                given.StartsWith("--", StringComparison.Ordinal) ? "--" + row.Name : row.Name])
            {
                if (candidate is not null && Distance(given, candidate) is int distance && distance < least)
                {
                    least = distance;
                    best = candidate;
                }
            }
        }

        return best is null ? "" : $" (did you mean {best}?)";
    }

    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 3)
        {
            return int.MaxValue;
        }

        int[] row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (int i = 1; i <= a.Length; i++)
        {
            int corner = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int change = corner + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                corner = row[j];
                row[j] = Math.Min(change, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
