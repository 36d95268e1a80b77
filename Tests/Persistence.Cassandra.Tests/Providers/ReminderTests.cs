using System.Text.Json;
using ClickAggregator.Persistence.Cassandra.Reminders;
using ClickAggregator.Persistence.Cassandra.Tests.Real;
using ClickAggregator.Servers;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>What Orleans asks of a table of reminders, on a real node.</summary>
public sealed class ReminderTests(CassandraServer server, ProviderKeyspace keyspace) : IClassFixture<ProviderKeyspace>, IAsyncDisposable
{
    private static readonly DateTime s_start = new(2026, 11, 26, 12, 0, 0, 123, DateTimeKind.Utc);

    private readonly string _service = $"{Guid.NewGuid()}";
    private readonly List<IHost> _hosts = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reminder_is_written_read_changed_and_removed_by_its_etag()
    {
        IReminderTable table = await OpenAsync();
        ReminderEntry reminder = New(name: "foo/bar\\#b_a_z?");
        Assert.Null(await table.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation));
        string? first = await table.UpsertRow(reminder, Cancellation);
        ReminderEntry? read = await table.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation);
        Assert.Equal((reminder.GrainId, reminder.ReminderName, reminder.StartAt, reminder.Period, first), (read!.GrainId, read.ReminderName, read.StartAt, read.Period, read.ETag));
        Assert.Equal(DateTimeKind.Utc, read.StartAt.Kind);

        reminder.Period = TimeSpan.FromHours(30);
        string? second = await table.UpsertRow(reminder, Cancellation);
        Assert.NotNull(second);
        Assert.NotEqual(first, second);
        Assert.Equal(TimeSpan.FromHours(30), (await table.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation))!.Period);

        Assert.False(await table.RemoveRow(reminder.GrainId, reminder.ReminderName, first!, Cancellation));
        Assert.False(await table.RemoveRow(reminder.GrainId, "bla", second, Cancellation));
        Assert.False(await table.RemoveRow(reminder.GrainId, reminder.ReminderName, "an etag of another store", Cancellation));
        Assert.True(await table.RemoveRow(reminder.GrainId, reminder.ReminderName, second, Cancellation));
        Assert.False(await table.RemoveRow(reminder.GrainId, reminder.ReminderName, second, Cancellation));
        Assert.Null(await table.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation));
    }

    [Fact]
    public async Task Each_of_many_at_once_gets_an_etag_of_its_own_and_one_of_them_stays()
    {
        IReminderTable table = await OpenAsync();
        ReminderEntry reminder = New();
        string?[] etags = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => table.UpsertRow(reminder, Cancellation)));
        Assert.Equal(10, etags.Distinct().Count());
        Assert.Contains((await table.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation))!.ETag, etags);
    }

    [Fact]
    public async Task A_grain_has_its_own_reminders_only()
    {
        IReminderTable table = await OpenAsync();
        ReminderEntry[] mine = [.. new[] { "a", "b", "c" }.Select(name => New("grain", name))];
        foreach (ReminderEntry reminder in mine.Append(New("other", "a")))
        {
            await table.UpsertRow(reminder, Cancellation);
        }

        ReminderTableData read = await table.ReadRows(mine[0].GrainId, Cancellation);
        Assert.Equal(["a", "b", "c"], read.Reminders.Select(each => each.ReminderName).Order());
        Assert.All(read.Reminders, each => Assert.Equal(mine[0].GrainId, each.GrainId));
    }

    [Fact]
    public async Task Ranges_exclude_their_begin_include_their_end_and_wrap()
    {
        IReminderTable table = await OpenAsync();
        ReminderEntry[] all = [.. Enumerable.Range(0, 150).Select(n => New($"grain-{n}"))];
        await Parallel.ForEachAsync(all, Cancellation, async (each, token) => await table.UpsertRow(each, token));
        uint[] hashes = [.. all.Select(each => each.GrainId.GetUniformHashCode()).Order()];

        (uint Begin, uint End)[] ranges =
        [
            (0, uint.MaxValue), (0, 0), (uint.MaxValue, 0), (uint.MaxValue, uint.MaxValue), (1, 1), (hashes[70], hashes[70]),
            (hashes[10], hashes[20]), (hashes[20], hashes[10]), (hashes[10] - 1, hashes[10]), (hashes[149], hashes[0]), (0x00ffffff, 0x01000000),
            .. Enumerable.Range(0, 20).Select(_ => ((uint)Random.Shared.NextInt64(1L << 32), (uint)Random.Shared.NextInt64(1L << 32))),
        ];
        foreach ((uint begin, uint end) in ranges)
        {
            ReminderTableData read = await table.ReadRows(begin, end, Cancellation);
            IEnumerable<uint> expected = hashes.Where(hash => begin < end ? hash > begin && hash <= end : hash > begin || hash <= end);
            Assert.Equal(expected.Order(), read.Reminders.Select(each => each.GrainId.GetUniformHashCode()).Order());
        }
    }

    [Fact]
    public void A_range_is_cut_into_slices_that_hold_each_hash_of_it_once() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.UInt).Sample((begin, end, random) =>
        {
            foreach (uint hash in new[] { random, begin, end, begin + 1, end + 1, 0u, uint.MaxValue })
            {
                bool within = begin < end ? hash > begin && hash <= end : hash > begin || hash <= end;
                int found = HashRanges.Cut(begin, end).Count(part => part.Slice == HashRanges.SliceOf(hash) && hash > part.After && hash <= part.UpTo);
                if (found < (within ? 1 : 0) || (!within && found > 0))
                {
                    return false;
                }
            }

            return true;
        });

    [Fact]
    public void The_whole_ring_is_256_slices_each_read_once_but_for_that_of_the_cut()
    {
        Assert.Equal(Enumerable.Range(0, 256), HashRanges.Cut(0, uint.MaxValue).Select(part => part.Slice));
        (int Slice, long After, long UpTo)[] ring = [.. HashRanges.Cut(0x10ffffff, 0x10ffffff)];
        Assert.Equal(Enumerable.Range(0, 256), ring.Select(part => part.Slice).Order());
        Assert.Equal([(0, -1, 5)], HashRanges.Cut(uint.MaxValue, 5));
    }

    [Fact]
    public async Task Answers_that_were_lost_are_found_out()
    {
        await server.ContactPointsAsync();
        await using var proxy = new LosingProxy(server.Port);
        IReminderTable table = await OpenAsync(proxy.Port);
        IReminderTable direct = await OpenAsync();
        ReminderEntry reminder = New();
        await table.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation);
        proxy.LoseAnswers(1);
        string? etag = await table.UpsertRow(reminder, Cancellation);
        Assert.Equal(etag, (await direct.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation))!.ETag);

        proxy.LoseRequests(1);
        etag = await table.UpsertRow(reminder, Cancellation);
        Assert.Equal(etag, (await direct.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation))!.ETag);

        proxy.LoseAnswers(1);
        Assert.True(await table.RemoveRow(reminder.GrainId, reminder.ReminderName, etag!, Cancellation));
        Assert.Null(await direct.ReadRow(reminder.GrainId, reminder.ReminderName, Cancellation));
        Assert.Equal(3, proxy.Lost);
    }

    [Fact]
    public async Task The_table_of_a_service_is_cleared_and_not_that_of_another()
    {
        IReminderTable table = await OpenAsync();
        IReminderTable other = await OpenAsync(service: $"other {_service}");
        for (int n = 0; n < 20; n++)
        {
            await table.UpsertRow(New($"grain-{n}"), Cancellation);
        }

        await other.UpsertRow(New(), Cancellation);
        await table.TestOnlyClearTable(Cancellation);
        Assert.Empty((await table.ReadRows(0, 0, Cancellation)).Reminders);
        Assert.Single((await other.ReadRows(0, 0, Cancellation)).Reminders);
    }

    [Fact]
    public async Task Another_client_reads_the_reminders()
    {
        IReminderTable table = await OpenAsync();
        string? etag = await table.UpsertRow(New(name: "tick"), Cancellation);

        string output = await PythonDriver.RunAsync("Real/interop.py", ["rows", "127.0.0.1", $"{server.Port}", keyspace.Name], "reminders");

        JsonElement row = JsonDocument.Parse(output).RootElement.EnumerateArray().Single(each => each.GetProperty("service").GetString() == _service);
        Assert.Equal(("test/grain", "tick", etag, 60_000), (
            row.GetProperty("grain").GetString(), row.GetProperty("name").GetString(), row.GetProperty("etag").GetString(), row.GetProperty("period_ms").GetInt64()));
        Assert.StartsWith("2026-11-26T12:00:00.123", row.GetProperty("start_at").GetString(), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IHost host in _hosts)
        {
            await ProviderKeyspace.CloseAsync(host);
        }
    }

    private static ReminderEntry New(string grain = "grain", string name = "reminder") => new()
    {
        GrainId = GrainId.Create("test", grain),
        ReminderName = name,
        StartAt = s_start,
        Period = TimeSpan.FromMinutes(1),
    };

    private async Task<IReminderTable> OpenAsync(int port = 0, string? service = null)
    {
        Action<CassandraOptions> options = await keyspace.OptionsAsync(port);
        IHost host = ProviderKeyspace.Silo(service ?? _service, silo => silo.UseCassandraReminderService(options));
        _hosts.Add(host);
        IReminderTable table = host.Services.GetRequiredService<IReminderTable>();
        await table.StartAsync(Cancellation);
        return table;
    }
}
