using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.SystemTests.Programs;

/// <summary>The store of a data directory as a foreign client reaches it, also while the program runs.</summary>
internal sealed class StoreFile(DataFolder data)
{
    /// <summary>Runs SQL of the tests' own; answers how many rows it changed.</summary>
    public int Run(string sql)
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the tests
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteNonQuery();
    }

    public long Number(string sql) => Value(sql) is long number ? number : 0;

    public string Text(string sql) => (string)Value(sql)!;

    public IReadOnlyList<string> Texts(string sql)
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the tests
        command.CommandText = sql;
#pragma warning restore CA2100
        using SqliteDataReader reader = command.ExecuteReader();
        var texts = new List<string>();
        while (reader.Read())
        {
            texts.Add(reader.GetString(0));
        }

        return texts;
    }

    private object? Value(string sql)
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the tests
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }

    /// <summary>
    /// From now on the store refuses the rows of a series: whatever batch has clicks of it stays begun, with the rows of
    /// the other series written.
    /// </summary>
    public void Refuse(string series) => Run($"""
        CREATE TRIGGER refuse BEFORE INSERT ON clicks_by_hour WHEN NEW.series = '{series}' BEGIN SELECT RAISE(ABORT, 'refused by the test'); END
        """);

    public void RefuseNothing() => Run("DROP TRIGGER refuse");

    /// <summary>Takes the store away from the program: it can read, and no write of its succeeds until this is disposed.</summary>
    public IDisposable Lock()
    {
        SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();
        return connection;
    }

    /// <summary>The batch that partition 0 has begun: its end, or null where none is begun.</summary>
    public long? BegunEnd()
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT payload FROM grain_state WHERE name = 'chain' AND grain LIKE '%/0'";
        if (command.ExecuteScalar() is not byte[] payload)
        {
            return null;
        }

        using var json = JsonDocument.Parse(payload);
        JsonElement pending = json.RootElement.GetProperty("Chain").GetProperty("Pending");
        return pending.ValueKind == JsonValueKind.Object && pending.GetProperty("End").GetInt64() > pending.GetProperty("Start").GetInt64()
            ? pending.GetProperty("End").GetInt64()
            : null;
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={data.File("store.db")};Pooling=False");
        connection.Open();
        return connection;
    }
}
