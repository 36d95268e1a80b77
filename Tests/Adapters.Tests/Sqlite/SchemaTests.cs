using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Watching;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Adapters.Tests.Sqlite;

/// <summary>Opening: new files, files of every version that was released, later ones, and what is no store.</summary>
public sealed class SchemaTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("click-schema-");

    private string Store => Path.Combine(_folder.FullName, "store.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_new_file_carries_the_version()
    {
        await using (Open())
        {
        }

        Assert.Equal(SqliteSchema.Current, Convert.ToInt32(Query("PRAGMA user_version").Single()));
        Assert.Equal("wal", Query("PRAGMA journal_mode").Single());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_file_of_an_older_version_becomes_one_of_this_and_keeps_its_rows(int version)
    {
        Run(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Sqlite", "Schemas", $"version-{version}.sql")));

        await using (SqliteStore store = Open())
        {
            (WindowKey Key, WindowRow Row)[] rows = await store.Counts.ScanWindowsAsync(CancellationToken.None).ToArrayAsync();
            Assert.Equal([("ad:42@500000@0", 5, 1_000_000, true), ("ad:42@500001@0", 128, 2_000_000, false)],
                rows.Select(pair => (pair.Key.ToString(), pair.Row.Clicks, pair.Row.Stamp, pair.Row.Minutes is not null)));
            Assert.Equal(133, (await store.Counts.ReadDaysAsync(["ad:42"], 20_833, 20_834, CancellationToken.None)).Single().Quarters.Sum());
            Assert.Equal([new TopEntry("42", 5)], (await store.ReadTopAsync(new TopKey(TargetKind.Ad, TopSlice.Hour, 500_000, 0), CancellationToken.None))!.Entries);
            Assert.Equal(500_002, await store.Counts.ReadMinutesFloorAsync(CancellationToken.None));

            // What was counted before there was a reconciliation is open.
            HourMark[] hours = [new(500_000, 0, 7), new(500_001, 0, 7)];
            Assert.Equal(hours, await store.Ledger.ReadHoursAsync(0, 1_000_000, CancellationToken.None));
            Assert.Equal(version == 1 ? hours : hours[1..], await store.Ledger.ReadOpenHoursAsync(0, 1_000_000, 10, CancellationToken.None));
            Assert.Equal(version == 1 ? 0 : 1, (await store.Ledger.ReadFinalsAsync(0, 1_000_000, CancellationToken.None)).Count);
            Assert.Equal(version == 1 ? 0 : 1, (await store.Ledger.ReadCorrectionsOfAsync("ad:42", 0, 1_000_000, null, 10, CancellationToken.None)).Count);
            Assert.Equal(version == 1 ? 0 : 1, (await store.Ledger.ReadHistoryAsync(["ad:42"], 0, 1_000_000, CancellationToken.None)).Count);
        }

        string[] tables = Query("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name");
        File.Move(Store, Store + ".migrated");
        await using (Open())
        {
        }

        Assert.Equal(Query("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"), tables);
    }

    [Fact]
    public async Task The_log_says_that_an_older_file_is_brought_to_this_version_and_how_long_it_took()
    {
        var log = new RecordedLogs();
        await using (Open(log))
        {
        }

        Assert.Empty(log.Lines);
        File.Delete(Store);
        Run(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Sqlite", "Schemas", "version-4.sql")));
        await using (Open(log))
        {
        }

        Assert.Equal(2, log.Lines.Count);
        Assert.StartsWith($"{Store} is brought to version 5 of its tables", log.Lines[0], StringComparison.Ordinal);
        Assert.Matches(@"store\.db has version 5 of its tables now; that took \d+\.\d s", log.Lines[1]);
    }

    [Fact]
    public void Every_version_but_the_last_is_kept_as_a_file_and_the_last_too() =>
        Assert.Equal(
            Enumerable.Range(1, SqliteSchema.Current).Select(version => $"version-{version}.sql"),
            Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Sqlite", "Schemas")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Fact]
    public void A_step_that_fails_leaves_the_version_before()
    {
        string[] good = ["CREATE TABLE a (x);", "CREATE TABLE b (x);"];
        using SqliteConnection connection = Connect();
        SqliteSchema.Migrate(connection, Store, good[..1]);

        Assert.Throws<SqliteException>(() => SqliteSchema.Migrate(connection, Store, [good[0], "CREATE TABLE b (x); CREATE TABLE a (x);"]));
        Assert.Equal(["1"], Query("PRAGMA user_version"));
        Assert.Equal(["a"], Query("SELECT name FROM sqlite_schema"));

        SqliteSchema.Migrate(connection, Store, good);
        Assert.Equal(["2"], Query("PRAGMA user_version"));
        Assert.Equal(["a", "b"], Query("SELECT name FROM sqlite_schema ORDER BY name"));
    }

    [Fact]
    public void A_later_version_is_refused()
    {
        Run("PRAGMA user_version = 99");

        Assert.Equal(
            $"{Store} has schema version 99, and this build knows {SqliteSchema.Current}: it was written by a later version. Run that one, or restore a backup",
            Assert.Throws<StoreUnusableException>(Open).Message);
    }

    [Theory]
    [InlineData("CREATE TABLE hours (x)")]
    [InlineData("CREATE TABLE somebody_elses (x)")]
    [InlineData("CREATE TABLE somebody_elses (x); PRAGMA user_version = -3")]
    public void A_database_of_another_program_is_refused_and_left_alone(string sql)
    {
        Run(sql);

        Assert.Equal($"{Store} is a database of another program: name another file, or move it away", Assert.Throws<StoreUnusableException>(Open).Message);
        Assert.Single(Query("SELECT name FROM sqlite_schema"));
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_with_what_to_do()
    {
        File.WriteAllText(Store, string.Concat(Enumerable.Repeat("these are not the clicks you look for\n", 500)));

        string message = Assert.Throws<StoreUnusableException>(Open).Message;

        Assert.StartsWith($"{Store} cannot be used: ", message);
        Assert.Contains("move the file away together with its -wal and -shm, and restore a backup", message);
    }

    [Fact]
    public async Task Damage_that_is_found_later_is_told_with_what_to_do()
    {
        await using (SqliteStore store = Open())
        {
            var windows = new SqliteWindowStorage(store);
            await Task.WhenAll(Enumerable.Range(0, 2000).Select(n => Contracts.WindowAccess.WriteAsync(windows, new WindowKey($"ad:{n}", 1, 0), Contracts.WindowAccess.Row(1, 0, 1))));
        }

        byte[] bytes = await File.ReadAllBytesAsync(Store);
        bytes.AsSpan(4096 * 3).Fill(0xee);
        await File.WriteAllBytesAsync(Store, bytes);

        Exception? error = await Record.ExceptionAsync(async () =>
        {
            await using SqliteStore store = Open();
            _ = await store.Counts.ScanWindowsAsync(CancellationToken.None).CountAsync();
        });

        Assert.Contains("restore a backup", Assert.IsAssignableFrom<Exception>(error).Message);
    }

    [Fact]
    public void A_file_that_another_program_holds_is_refused_after_a_while()
    {
        Run("CREATE TABLE t (x)");
        using SqliteConnection other = Connect();
        SqliteSchema.Run(other, "BEGIN EXCLUSIVE");

        Assert.Contains("Another program uses the file: end it", Assert.Throws<StoreUnusableException>(Open).Message);
    }

    [Fact]
    public void A_path_that_cannot_be_a_file_is_refused_with_what_to_do()
    {
        Directory.CreateDirectory(Store);
        Assert.Contains("have to be writable", Assert.Throws<StoreUnusableException>(Open).Message);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_refused()
    {
        File.WriteAllText(Store, "");
        string below = Path.Combine(Store, "deeper", "store.db");

        Assert.StartsWith(
            $"{below} cannot be used: ", Assert.Throws<StoreUnusableException>(() => SqliteStore.Open(new SqliteOptions { Path = below }, NullLoggerFactory.Instance)).Message);
    }

    [Fact]
    public async Task A_file_that_must_not_be_written_is_refused_with_what_to_do()
    {
        await using (Open())
        {
        }

        File.SetAttributes(Store, FileAttributes.ReadOnly);
        Assert.SkipWhen(MayWrite(), "this user may write whatever the mode");

        Assert.Contains("have to be writable", Assert.Throws<StoreUnusableException>(Open).Message);
    }

    private bool MayWrite()
    {
        try
        {
            using FileStream file = File.OpenWrite(Store);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private SqliteStore Open() => Open(NullLoggerFactory.Instance);

    private SqliteStore Open(ILoggerFactory loggers) => SqliteStore.Open(new SqliteOptions { Path = Store, LockTimeout = TimeSpan.FromSeconds(1) }, loggers);

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection($"Data Source={Store};Pooling=False");
        connection.Open();
        return connection;
    }

    private void Run(string sql)
    {
        using SqliteConnection connection = Connect();
        SqliteSchema.Run(connection, sql);
    }

    private string[] Query(string sql)
    {
        using SqliteConnection connection = Connect();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this test
        command.CommandText = sql;
#pragma warning restore CA2100
        using SqliteDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(reader.GetString(0));
        }

        return [.. rows];
    }
}
