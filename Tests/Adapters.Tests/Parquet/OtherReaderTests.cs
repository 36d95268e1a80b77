using System.Globalization;
using ClickAggregator.Adapters.Parquet;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Adapters.Tests.Parquet;

/// <summary>DuckDB, which shares no code with the library that writes, finds in the files what was written.</summary>
public sealed class OtherReaderTests : IDisposable
{
    private const long Hour = 1_763_838_000_000 / 3_600_000 * 3_600_000; // 2025-11-22 19:00

    private readonly DuckDb _duck = new();

    public void Dispose() => _duck.Dispose();

    [Fact]
    public void It_finds_the_same_rows()
    {
        Row[] rows = RowGenerator.Some(2000, seed: 1);
        _duck.Add("clicks/a.parquet", rows);
        _duck.Run(DuckDb.OfReadme()[1]); // the macro

        List<object?[]> read = _duck.Run(
            """
            SELECT "offset", epoch_ms(broker_time), duplicate, coalesce(click_id, click_id_uuid::VARCHAR, ulid_text(click_id_ulid)), epoch_ms(timestamp), kind,
                target_id, campaign_id, user_id, country, device, referrer, coalesce(epoch_ms(received_at), 0), page_url, partition
            FROM read_parquet('clicks/a.parquet')
            """);

        Assert.Equal(rows, read.Select(row => new Row(
            (long)row[0]!, (long)row[1]!, (bool)row[2]!, (string?)row[3], (long)row[4]!, Kind(row[5]), (string)row[6]!, (string?)row[7], (string?)row[8],
            (string?)row[9], (string?)row[10], (string?)row[11], (long)row[12]!, (string?)row[13])));
        Assert.All(read, row => Assert.Equal(3, row[14]));
    }

    [Fact]
    public void Ids_of_sixteen_bytes_are_those_that_are_exactly_in_form()
    {
        Row[] rows = RowGenerator.Some(2000, seed: 2);
        _duck.Add("clicks/a.parquet", rows);

        object?[] counts = Assert.Single(_duck.Run("SELECT count(click_id), count(click_id_uuid), count(click_id_ulid) FROM read_parquet('clicks/a.parquet')"));

        int uuids = rows.Count(row => Guid.TryParseExact(row.ClickId, "D", out Guid id) && id.ToString() == row.ClickId);
        int ulids = rows.Count(row => row.ClickId is { Length: 26 } id && id[0] <= '7' && id.All("0123456789ABCDEFGHJKMNPQRSTVWXYZ".Contains));
        Assert.Equal([(long)(rows.Count(row => row.ClickId is not null) - uuids - ulids), (long)uuids, (long)ulids], counts);
        Assert.True(uuids > 100 && ulids > 100);
    }

    [Fact]
    public void What_the_readme_shows_gives_what_was_written()
    {
        Row[] rows = [.. RowGenerator.Usual(5000).Select((row, n) => row with { Timestamp = Hour + (n * 700L), UserId = $"u-{n % 100}" })];
        Row[] later = [.. RowGenerator.Usual(100, seed: 2).Select(row => row with { Timestamp = Hour + 3_600_000, Offset = row.Offset + 5000 })];
        string hour = DateTimeOffset.FromUnixTimeMilliseconds(Hour).ToString("'date='yyyy-MM-dd'/hour='HH", CultureInfo.InvariantCulture);
        _duck.Add($"clicks/{hour}/p0007-000000001000-000000005999.parquet", rows);
        _duck.Add("clicks/date=2025-11-22/hour=20/p0007-000000006000-000000006099.parquet", later);
        string[] shown = [.. DuckDb.OfReadme().Select(sql => sql.Replace("2026-11-22", "2025-11-22", StringComparison.Ordinal))];
        Assert.Equal(4, shown.Length);

        Assert.Equal(
            rows.Where(row => !row.Duplicate).GroupBy(row => (Kind: TargetKinds.Name(row.Kind), row.TargetId, Minute: row.Timestamp / 60_000))
                .OrderBy(group => group.Key.Kind, StringComparer.Ordinal).ThenBy(group => group.Key.TargetId, StringComparer.Ordinal).ThenBy(group => group.Key.Minute)
                .Select(group => (object?[])[group.Key.Kind, group.Key.TargetId, group.Key.Minute, (long)group.Count()]),
            _duck.Run(shown[0]));
        Assert.Equal(
            rows.Concat(later).OrderBy(row => row.ClickId, StringComparer.Ordinal).ThenBy(row => row.Offset).Select(row => (object?[])[row.ClickId, row.Offset]),
            _duck.Run(shown[1]));
        Assert.Equal(
            rows.Concat(later).Count(row => row.UserId == "u-7"),
            _duck.Run(shown[2]).Count);

        // What moved stays in the inbox for a while; what came late waits there alone.
        Row[] late = [.. RowGenerator.Usual(50, seed: 3).Select((row, n) => row with { Timestamp = Hour + (n * 1000L), Offset = row.Offset + 6000, Duplicate = n % 10 == 0 })];
        _duck.Add("inbox/chain-0007/000000001000-000000005999.parquet", rows);
        _duck.Add("inbox/chain-0007/000000007000-000000007049.parquet", late);
        Assert.Equal([[DateTimeOffset.FromUnixTimeMilliseconds(Hour).UtcDateTime, 45L]], _duck.Run(shown[3]));
    }

    [Fact]
    public void It_uses_the_bloom_filters_as_we_do()
    {
        Row[] rows = [.. RowGenerator.Usual(IClickFiles.RowGroupRows + 1000)];
        _duck.Add("clicks/a.parquet", rows);

        // Not one user that is there is ruled out, by DuckDB's own reading of the filter.
        HashSet<string>[] users = [.. rows.Chunk(IClickFiles.RowGroupRows).Select(group => group.Select(row => row.UserId!).ToHashSet())];
        foreach (string user in rows.Take(20).Concat(rows.TakeLast(20)).Select(row => row.UserId!))
        {
            Assert.All(
                _duck.Run($"SELECT row_group_id, bloom_filter_excludes FROM parquet_bloom_probe('clicks/a.parquet', 'user_id', '{user}')"),
                group => Assert.False((bool)group[1]! && users[Convert.ToInt32(group[0], CultureInfo.InvariantCulture)].Contains(user), user));
        }

        int excluded = Enumerable.Range(0, 50).Sum(n => _duck.Run(
            $"SELECT 1 FROM parquet_bloom_probe('clicks/a.parquet', 'user_id', 'nobody-{n}') WHERE bloom_filter_excludes").Count);
        Assert.InRange(excluded, 85, 100);
    }

    private static TargetKind Kind(object? name) => TargetKinds.TryParseName((string)name!, out TargetKind kind) ? kind : TargetKind.None;
}
