using System.Globalization;
using ClickAggregator.Adapters.Directories;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Grains.Archive;
using DuckDB.NET.Data;

namespace ClickAggregator.SystemTests.Archive;

/// <summary>An archive as others read it: its manifests are walked, and DuckDB reads the clicks.</summary>
internal sealed class ArchivedClicks(string directory)
{
    private readonly List<string> _sources = [];

    public List<ArchiveReport> Reports { get; } = [];

    /// <summary>Walks every chain of an archive in a directory.</summary>
    public static Task<ArchivedClicks> WalkAsync(string directory) =>
        WalkAsync(new DirectoryObjects(new DirectoryArchiveOptions { Path = directory }, TimeProvider.System), directory);

    /// <summary>Walks every chain; objects that are not in the directory are brought there, for DuckDB to read.</summary>
    public static async Task<ArchivedClicks> WalkAsync(IArchiveObjects objects, string directory)
    {
        var archive = new ArchivedClicks(directory);
        var verification = new ArchiveVerification(objects, new ParquetClickFiles());
        await foreach (ArchiveChain chain in verification.FindChainsAsync(CancellationToken.None))
        {
            archive.Reports.Add(await verification.WalkAsync(chain, CancellationToken.None, archive.Note));
        }

        return archive;
    }

    /// <summary>The ids of all clicks that are no repeats, each as often as it is there: those of the table and those that wait for theirs.</summary>
    public IReadOnlyList<string> Ids()
    {
        var ids = new List<string>();
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        foreach (string source in _sources)
        {
            using DuckDBCommand command = duck.CreateCommand();
            command.CommandText = $"SELECT click_id FROM {source} AND NOT duplicate";
            using DuckDBDataReader reader = command.ExecuteReader();
            while (reader.Read())
            {
                ids.Add(reader.GetString(0));
            }
        }

        return ids;
    }

    /// <summary>The clicks that are no repeats, per ad and minute since the epoch.</summary>
    public Dictionary<(string Ad, long Minute), long> ByAdMinute()
    {
        var counts = new Dictionary<(string Ad, long Minute), long>();
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using DuckDBCommand command = duck.CreateCommand();
        command.CommandText = $"""
            SELECT target_id, CAST(floor(epoch(timestamp) / 60) AS BIGINT), count(*)
            FROM ({string.Join(" UNION ALL ", _sources.Select(source => $"SELECT kind, target_id, timestamp FROM {source} AND NOT duplicate"))})
            WHERE kind = 'ad' GROUP BY ALL
            """;
        using DuckDBDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            counts.Add((reader.GetString(0), reader.GetInt64(1)), reader.GetInt64(2));
        }

        return counts;
    }

    /// <summary>What any reader of the table sees who knows nothing of manifests.</summary>
    public long TableRows()
    {
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using DuckDBCommand command = duck.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM read_parquet('{directory}/clicks/**/*.parquet', hive_partitioning = true)";
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private void Note(ManifestObject one, IReadOnlySet<int> hours, ReadOnlyMemory<byte> content)
    {
        string path = Path.Combine(directory, one.Key);
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content.Span);
        }

        _sources.Add($"read_parquet('{path}') WHERE CAST(floor(epoch(timestamp) / 3600) AS INTEGER) IN ({string.Join(',', hours)})");
    }
}
