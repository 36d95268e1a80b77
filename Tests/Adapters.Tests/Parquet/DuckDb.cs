using System.Data;
using System.Text.RegularExpressions;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Grains.Archive;
using DuckDB.NET.Data;

namespace ClickAggregator.Adapters.Tests.Parquet;

/// <summary>A table of files in a folder of its own, and somebody else's program to read it.</summary>
internal sealed partial class DuckDb : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("click-table-");
    private readonly DuckDBConnection _connection = new("DataSource=:memory:");

    public DuckDb() => _connection.Open();

    /// <summary>Puts a file into the table.</summary>
    public void Add(string key, IEnumerable<Row> rows)
    {
        string path = Path.Combine(_folder.FullName, key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, new ParquetClickFiles().Write(RowGenerator.Columns(rows), new FileOrigin("log-1", 3, 7)));
    }

    /// <summary>Runs statements as somebody would in the table's folder; the rows of the last one.</summary>
    public List<object?[]> Run(string sql)
    {
        using DuckDBCommand command = _connection.CreateCommand();
        command.CommandText = sql.Replace("'clicks/", $"'{_folder.FullName}/clicks/", StringComparison.Ordinal)
            .Replace("'inbox/", $"'{_folder.FullName}/inbox/", StringComparison.Ordinal);
        using DuckDBDataReader reader = command.ExecuteReader();
        var rows = new List<object?[]>();
        do
        {
            rows.Clear();
            while (reader.Read())
            {
                rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(n => reader.IsDBNull(n) ? null : reader.GetValue(n))]);
            }
        }
        while (reader.NextResult());
        return rows;
    }

    /// <summary>The statements of the README, block by block.</summary>
    public static string[] OfReadme()
    {
        string? root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root!, "ClickAggregator.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        return [.. Blocks().Matches(File.ReadAllText(Path.Combine(root!, "Adapters", "Parquet", "README.md"))).Select(match => match.Groups[1].Value)];
    }

    public void Dispose()
    {
        _connection.Dispose();
        _folder.Delete(recursive: true);
    }

    [GeneratedRegex("```sql\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
