using System.Runtime.CompilerServices;
using System.Text.Json;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Verify;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Tests.Verify;

/// <summary>What is written before and behind windows, while a batch is under way.</summary>
public sealed class DerivedRowsTests : IAsyncDisposable
{
    private const int Hour = 480_000;
    private const int Day = Hour / 24;
    private const string Batch = """{"Chain":{"Chain":1,"Pending":{"Start":5,"End":9,"Rules":"r"}}}""";
    private const string Next = """{"Chain":{"Chain":1,"Pending":{"Start":9,"End":12,"Rules":"r"}}}""";
    private const string Idle = """{"Chain":{"Chain":1,"Pending":null}}""";
    private static readonly RecountRules s_rules = new(["total", "target"], TimeSpan.FromHours(1), 1000, null);

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly SqliteStore _store;

    public DerivedRowsTests()
    {
        _store = SqliteStore.Open(new SqliteOptions { Path = Path.Combine(_folder, "store.db") }, NullLoggerFactory.Instance);
        Run($"""
            INSERT INTO clicks_by_hour VALUES ('ad:a', {Hour}, 1, x'0005', x'0005', 9, 10, 0, NULL, NULL);
            INSERT INTO clicks_by_day VALUES ('ad:a', {Day}, 1, x'0005', 10, 0);
            INSERT INTO series_by_day VALUES ({Day}, 'ad:a');
            INSERT INTO hours VALUES ({Hour}, 1, 9, 10);
            INSERT INTO tops VALUES (1, 1, {Hour}, 1, x'016105', 0, 10), (1, 2, {Day}, 1, x'016105', 0, 10);
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Rows_that_agree_agree() => await AgreeAsync(new States(Batch), TimeSpan.FromMinutes(1));

    [Fact]
    public async Task A_day_ahead_of_its_window_and_lists_behind_it_are_waited_for_until_the_batch_is_complete()
    {
        Run("UPDATE clicks_by_day SET quarters = x'0007'");
        var states = new States(Batch, Batch, Next)
        {
            Completes = () => Run("UPDATE clicks_by_hour SET quarters = x'0007', stamp = 11; UPDATE tops SET entries = x'016107'"),
        };
        await AgreeAsync(states, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task What_is_as_wrong_once_the_batch_is_complete_is_wrong()
    {
        Run("UPDATE clicks_by_day SET quarters = x'0007'");
        DerivedResult result = await RunAsync(new States(Batch, Batch, Next, Next, Idle), TimeSpan.FromMinutes(1));
        Assert.Equal((1, 1, 0L), (result.DaysDiffer, result.ListsDiffer, result.UnderWay));
        Assert.Contains(result.Examples, example => example.StartsWith("ad:a day 2024-10-04 chain 1: hour 00 +2", StringComparison.Ordinal));
        Assert.Contains("top ads of day 2024-10-04 chain 1: ad:a with 5, which has 7", result.Examples);
    }

    [Fact]
    public async Task What_a_batch_that_stands_still_may_have_written_is_left_out_and_nothing_else()
    {
        Run("UPDATE clicks_by_day SET quarters = x'0007'");
        DerivedResult ahead = await RunAsync(new States(Batch), TimeSpan.FromMilliseconds(1));
        Assert.Equal((0, 0, 2L), (ahead.DaysDiffer, ahead.ListsDiffer, ahead.UnderWay));

        // Of a chain without one; below its window; and where windows and days are written at once.
        Assert.Equal(1, (await RunAsync(new States(Batch.Replace("\"Chain\":1", "\"Chain\":2", StringComparison.Ordinal)), TimeSpan.FromMilliseconds(1))).DaysDiffer);
        Assert.Equal((1, 0), await DiffersAsync(new States(Batch), null));
        Run("UPDATE clicks_by_day SET quarters = x'0003'");
        Assert.Equal((1, 1), await DiffersAsync(new States(Batch), TimeSpan.FromMilliseconds(1)));
    }

    [Fact]
    public async Task Nobody_is_missing_who_has_no_more_than_the_floor()
    {
        Run("UPDATE tops SET entries = x'', floor = 5");
        await AgreeAsync(new States(Idle), null);
        Run("UPDATE tops SET floor = 4");
        Assert.Equal((0, 2), await DiffersAsync(new States(Idle), null));
    }

    [Fact]
    public async Task What_is_set_aside_is_compared_with_no_list()
    {
        Run("UPDATE tops SET entries = x'016109'; UPDATE clicks_by_hour SET set_aside = 1; UPDATE clicks_by_day SET set_aside = 1");
        await AgreeAsync(new States(Idle), null);
    }

    [Fact]
    public async Task A_window_without_its_name_and_an_hour_without_its_mark_are_named()
    {
        Run("DELETE FROM series_by_day");
        DerivedResult result = await RunAsync(new States(Idle), null);
        Assert.Equal((false, 1, 0), (result.Agrees, result.Unnamed, result.Unmarked));
        Assert.Contains("ad:a hour 2024-10-04T00Z chain 1: no index names it (series_by_day), so that it is in no list of series", result.Examples);

        Run($"INSERT INTO series_by_day VALUES ({Day}, 'ad:a'); DELETE FROM hours");
        result = await RunAsync(new States(Idle), null);
        Assert.Equal((false, 0, 1), (result.Agrees, result.Unnamed, result.Unmarked));
        Assert.Contains("hour 2024-10-04T00Z chain 1: it has clicks, and no mark (hours), so that no run comes to it by itself", result.Examples);
        Assert.EndsWith("and 1 hours with clicks have no mark in hours", result.ToString(), StringComparison.Ordinal);

        // A batch that is under way has its hour not noted yet.
        result = await RunAsync(new States(Batch), TimeSpan.FromMilliseconds(1));
        Assert.Equal((true, 1L), (result.Agrees, result.UnderWay));
    }

    [Fact]
    public async Task A_floor_that_was_raised_is_told_and_makes_nothing_differ()
    {
        Run("UPDATE tops SET floor = 7 WHERE slice = 1");
        DerivedResult result = await RunAsync(new States(Idle), null);
        Assert.Equal((true, 1L), (result.Agrees, result.Floors));
        Assert.Equal("top ads of hour 2024-10-04T00Z chain 1: its floor is 7, and 0 is enough", Assert.Single(result.FloorExamples));

        // Whoever is not listed has as much as it says.
        Run("UPDATE tops SET floor = 5, entries = x''");
        Assert.Empty((await RunAsync(new States(Idle), null)).FloorExamples);
    }

    private async Task AgreeAsync(States states, TimeSpan? patience)
    {
        DerivedResult result = await RunAsync(states, patience);
        Assert.True(result.Agrees, $"{result}: {string.Join("; ", result.Examples)}");
        Assert.Equal((0, 0), (result.UnderWay, result.Changing));
    }

    [Fact]
    public async Task Each_pass_over_the_tables_says_how_far_it_is()
    {
        // Whoever asks what time it is waits six seconds.
        var said = new List<string>();
        var time = new HastyTime();
        DerivedResult result = await new DerivedRows(
            _store.Counts, _store.Ledger, new States(Idle), s_rules, new HashSet<int> { 1 }, null, progress: new VerifyProgress(said.Add, time), rowsPerPart: 2)
            .RunAsync(int.MinValue, int.MaxValue, CancellationToken.None);
        Assert.True(result.Agrees);
        Assert.Equal("windows, day rows and top lists are counted: 1 rows read", said[0]);
        Assert.Equal("day rows and top lists, pass 1 of 2: 1 rows read", said[4]);
        Assert.Equal("day rows and top lists, pass 2 of 2: 4 rows read", said[11]);
        Assert.Equal("windows that no index names are looked for: 63 parts of the store read", said[^1]);
        Assert.Equal(12 + 64, said.Count);
    }

    private sealed class HastyTime : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds += 6;
    }

    private async Task<(long Days, long Lists)> DiffersAsync(States states, TimeSpan? patience)
    {
        DerivedResult result = await RunAsync(states, patience);
        return (result.DaysDiffer, result.ListsDiffer);
    }

    private Task<DerivedResult> RunAsync(States states, TimeSpan? patience) =>
        new DerivedRows(_store.Counts, _store.Ledger, states, s_rules, new HashSet<int> { 1 }, patience).RunAsync(int.MinValue, int.MaxValue, CancellationToken.None);

    private void Run(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_folder, "store.db")};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // of this test
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>A chain's record as it is at each look; the last stays.</summary>
    private sealed class States(params string[] records) : IStoredStates
    {
        private int _looks;

        /// <summary>Runs when the second record is about to be read.</summary>
        public Action? Completes { get; init; }

        public async IAsyncEnumerable<JsonElement> ReadAsync(string name, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            if (_looks == 1)
            {
                Completes?.Invoke();
            }

            yield return JsonSerializer.Deserialize<JsonElement>(records[Math.Min(_looks++, records.Length - 1)]);
        }
    }
}
