using System.Globalization;
using System.Net;
using System.Numerics;
using System.Text.Json;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Cluster;
using ClickAggregator.Servers;

namespace ClickAggregator.Persistence.Cassandra.Tests.Real;

/// <summary>What ours writes a client of another make reads, and the other way round.</summary>
public class TypeTests(CassandraServer server)
{
    private const string Columns = "k, a, bi, bl, bo, de, du, fl, i, ti, si, ts, u, tu, vi, ip, da, tm, te, li, se, ma";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_client_reads_what_ours_wrote()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        await keyspace.Cql.ExecuteAsync(Insert(keyspace).BindAll(Values("ours")), Cancellation);
        for (int n = 0; n < 100; n++)
        {
            await keyspace.Cql.ExecuteAsync($"INSERT INTO {keyspace.Name}.pages (k, c, n) VALUES ({"ours"}, {n}, {(long)n * 3})", Cancellation);
        }

        string output = await PythonDriver.RunAsync("Real/interop.py", ["read", keyspace.Options.ContactPoints[0], $"{keyspace.Options.Port}", keyspace.Name.Name]);
        JsonElement row = JsonDocument.Parse(output).RootElement;
        Assert.Equal("ascii", row.GetProperty("a").GetString());
        Assert.Equal(long.MinValue, row.GetProperty("bi").GetInt64());
        Assert.Equal("0001ff", row.GetProperty("bl").GetString());
        Assert.True(row.GetProperty("bo").GetBoolean());
        Assert.Equal("-12345.6789", row.GetProperty("de").GetString());
        Assert.Equal(0.1, row.GetProperty("du").GetDouble());
        Assert.Equal(1.5, row.GetProperty("fl").GetDouble());
        Assert.Equal(int.MinValue, row.GetProperty("i").GetInt32());
        Assert.Equal(-128, row.GetProperty("ti").GetInt32());
        Assert.Equal(-32768, row.GetProperty("si").GetInt32());
        Assert.Equal("2026-11-26T01:02:03.456000", row.GetProperty("ts").GetString());
        Assert.Equal("00112233-4455-6677-8899-aabbccddeeff", row.GetProperty("u").GetString());
        Assert.Equal("d2177dd0-eaa2-11de-a572-001b779c76e3", row.GetProperty("tu").GetString());
        Assert.Equal(-BigInteger.Pow(2, 70), BigInteger.Parse(row.GetProperty("vi").GetRawText(), CultureInfo.InvariantCulture));
        Assert.Equal("::1", row.GetProperty("ip").GetString());
        Assert.Equal("1969-12-31", row.GetProperty("da").GetString());
        Assert.Equal("23:59:59.123456700", row.GetProperty("tm").GetString());
        Assert.Equal("é😀", row.GetProperty("te").GetString());
        Assert.Equal("[3, 1, 2]", row.GetProperty("li").GetRawText());
        Assert.Equal("[\"a\", \"b\"]", row.GetProperty("se").GetRawText());
        Assert.Equal("{\"1\": 10, \"2\": 20}", row.GetProperty("ma").GetRawText());
        Assert.Equal(Enumerable.Range(0, 100).Select(n => $"[{n}, {n * 3}]"), row.GetProperty("pages").EnumerateArray().Select(each => each.GetRawText()));
    }

    [Fact]
    public async Task Ours_reads_what_another_client_wrote()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        await PythonDriver.RunAsync("Real/interop.py", ["write", keyspace.Options.ContactPoints[0], $"{keyspace.Options.Port}", keyspace.Name.Name]);
        Same(await ReadAsync(keyspace, "python"));
        var statement = new CqlStatement($"SELECT c, n FROM {keyspace.Name}.pages WHERE k = ?");
        long expected = 0;
        foreach (int size in new[] { 1000, 250, 100, 7 })
        {
            var paged = new CqlStatement(statement.Text) { PageSize = size };
            expected = 0;
            await foreach (CqlRow row in keyspace.Cql.QueryAsync(paged.Bind("python"), Cancellation))
            {
                Assert.Equal((expected, expected * expected), (row.Get<int>("c"), row.Get<long>("n")));
                expected++;
            }

            Assert.Equal(250, expected);
        }
    }

    [Fact]
    public async Task Tokens_are_those_of_another_client_and_of_the_server()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        var random = new Random(5);
        string[] keys = [.. Enumerable.Range(1, 60).Select(length =>
        {
            byte[] key = new byte[length];
            random.NextBytes(key);
            return Hex.Text(key);
        })];
        var put = new CqlStatement($"INSERT INTO {keyspace.Name}.blobs (k) VALUES (?)");
        foreach (string key in keys)
        {
            await keyspace.Cql.ExecuteAsync(put.Bind(Hex.Bytes(key)), Cancellation);
        }

        var tokens = new Dictionary<string, long>();
        await foreach (CqlRow row in keyspace.Cql.QueryAsync(new CqlStatement($"SELECT k, token(k) FROM {keyspace.Name}.blobs").Bind(), Cancellation))
        {
            tokens[Hex.Text(row.Get<byte[]>(0))] = row.Get<long>(1);
        }

        Assert.Equal(keys.Length, tokens.Count);
        Assert.All(keys, key => Assert.Equal(tokens[key], Murmur3.Token(Hex.Bytes(key))));
        string output = await PythonDriver.RunAsync(
            "Real/interop.py", ["tokens", keyspace.Options.ContactPoints[0], $"{keyspace.Options.Port}", keyspace.Name.Name], JsonSerializer.Serialize(keys));
        Assert.Equal(keys.Select(key => tokens[key].ToString(CultureInfo.InvariantCulture)), output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Ours_reads_what_it_wrote_also_nulls_and_what_was_not_set()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        await keyspace.Cql.ExecuteAsync(Insert(keyspace).BindAll(Values("ours")), Cancellation);
        Same(await ReadAsync(keyspace, "ours"));

        await keyspace.Cql.ExecuteAsync($"INSERT INTO {keyspace.Name}.types (k, bi, i, te) VALUES ({"ours"}, {(long?)null}, {CqlUnset.Value}, {""})", Cancellation);
        CqlRow row = await ReadAsync(keyspace, "ours");
        Assert.True(row.IsNull("bi"));
        Assert.Equal(int.MinValue, row.Get<int>("i"));
        Assert.Equal("", row.Get<string>("te"));

        await keyspace.Cql.ExecuteAsync($"INSERT INTO {keyspace.Name}.types (k, li, se) VALUES ({"empty"}, {new List<int>()}, {new HashSet<string>()})", Cancellation);
        row = await ReadAsync(keyspace, "empty");
        Assert.Empty(row.Get<List<int>>("li"));
        Assert.Empty(row.Get<HashSet<string>>("se"));
        Assert.Empty(row.Get<Dictionary<int, long>>("ma"));
    }

    private static CqlStatement Insert(TestKeyspace keyspace) => new(string.Concat(
        "INSERT INTO ", keyspace.Name, ".types (", Columns, ") VALUES (", string.Join(", ", Columns.Split(',').Select(_ => "?")), ")"));

    private static CqlValues Values(string key) => new CqlValues()
        .Add(key).Add("ascii").Add(long.MinValue).Add(new byte[] { 0, 1, 255 }).Add(true).Add(-12345.6789m).Add(0.1).Add(1.5f)
        .Add(int.MinValue).Add(sbyte.MinValue).Add(short.MinValue).Add(new DateTimeOffset(2026, 11, 26, 1, 2, 3, 456, TimeSpan.Zero))
        .Add(new Guid("00112233-4455-6677-8899-aabbccddeeff")).Add(new Guid("d2177dd0-eaa2-11de-a572-001b779c76e3"))
        .Add(-BigInteger.Pow(2, 70)).Add(IPAddress.IPv6Loopback).Add(new DateOnly(1969, 12, 31)).Add(TimeOnly.Parse("23:59:59.1234567", CultureInfo.InvariantCulture))
        .Add("é😀").Add(new[] { 3, 1, 2 }).Add(new HashSet<string> { "a", "b" }).Add(new Dictionary<int, long> { [1] = 10, [2] = 20 });

    private static void Same(CqlRow row)
    {
        Assert.Equal("ascii", row.Get<string>("a"));
        Assert.Equal(long.MinValue, row.Get<long>("bi"));
        Assert.Equal([0, 1, 255], row.Get<byte[]>("bl"));
        Assert.True(row.Get<bool>("bo"));
        Assert.Equal(-12345.6789m, row.Get<decimal>("de"));
        Assert.Equal(0.1, row.Get<double>("du"));
        Assert.Equal(1.5f, row.Get<float>("fl"));
        Assert.Equal(int.MinValue, row.Get<int>("i"));
        Assert.Equal(sbyte.MinValue, row.Get<sbyte>("ti"));
        Assert.Equal(short.MinValue, row.Get<short>("si"));
        Assert.Equal(new DateTimeOffset(2026, 11, 26, 1, 2, 3, 456, TimeSpan.Zero), row.Get<DateTimeOffset>("ts"));
        Assert.Equal(new Guid("00112233-4455-6677-8899-aabbccddeeff"), row.Get<Guid>("u"));
        Assert.Equal(new Guid("d2177dd0-eaa2-11de-a572-001b779c76e3"), row.Get<Guid>("tu"));
        Assert.Equal(-BigInteger.Pow(2, 70), row.Get<BigInteger>("vi"));
        Assert.Equal(IPAddress.IPv6Loopback, row.Get<IPAddress>("ip"));
        Assert.Equal(new DateOnly(1969, 12, 31), row.Get<DateOnly>("da"));
        Assert.Equal(TimeOnly.Parse("23:59:59.1234567", CultureInfo.InvariantCulture), row.Get<TimeOnly>("tm"));
        Assert.Equal("é😀", row.Get<string>("te"));
        Assert.Equal([3, 1, 2], row.Get<List<int>>("li"));
        Assert.Equal(["a", "b"], row.Get<HashSet<string>>("se").Order());
        Assert.Equal(new Dictionary<int, long> { [1] = 10, [2] = 20 }, row.Get<Dictionary<int, long>>("ma"));
    }

    private static async Task<CqlRow> ReadAsync(TestKeyspace keyspace, string key) =>
        (await keyspace.Cql.QueryFirstAsync(new CqlStatement(string.Concat("SELECT ", Columns, " FROM ", keyspace.Name, ".types WHERE k = ?")).Bind(key), Cancellation))!.Value;

    private async Task<TestKeyspace> CreateAsync()
    {
        TestKeyspace keyspace = await TestKeyspace.CreateAsync(server);
        await keyspace.SchemaAsync($"""
            CREATE TABLE {keyspace.Name}.types (k text PRIMARY KEY, a ascii, bi bigint, bl blob, bo boolean, de decimal, du double, fl float, i int, ti tinyint,
            si smallint, ts timestamp, u uuid, tu timeuuid, vi varint, ip inet, da date, tm time, te text, li list<int>, se set<text>, ma frozen<map<int, bigint>>)
            """);
        await keyspace.SchemaAsync($"CREATE TABLE {keyspace.Name}.pages (k text, c int, n bigint, PRIMARY KEY (k, c))");
        await keyspace.SchemaAsync($"CREATE TABLE {keyspace.Name}.blobs (k blob PRIMARY KEY)");
        return keyspace;
    }
}
