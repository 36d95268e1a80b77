namespace ClickAggregator.Settings;

/// <summary>Finds the setting that somebody meant.</summary>
internal static class NearestName
{
    /// <summary><c>, did you mean X?</c> for a typo of up to three letters; else nothing.</summary>
    public static string Of(string given, IReadOnlyList<SettingRow> table)
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
