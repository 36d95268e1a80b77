using System.Globalization;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Sqlite;

/// <summary>The one writer when the disk is full, a write is bad, too many wait, or the store closes.</summary>
public class WriterTests
{
    private static readonly WindowKey s_key = new("ad:1", 500_000, 0);

    [Fact]
    public async Task A_full_disk_answers_all_that_wait_with_the_error_keeps_none_of_it_and_goes_on_afterwards()
    {
        await using var store = new StoreFolder();
        await store.Windows.WriteAsync(s_key, Row(1, 0, 1));
        long pages = await PragmaAsync(store, "PRAGMA page_count");
        await PragmaAsync(store, $"PRAGMA max_page_count = {pages + 2}");
        await using var held = new HeldWriter(store.Store);
        Task[] writes = [.. Enumerable.Range(0, 500).Select(n => n % 2 == 0
            ? store.Windows.WriteAsync(new WindowKey($"ad:{n}", 500_000, 0), Row(2, 0, 1))
            : store.Batches.WriteAsync(new BatchRows(0, 1, 2, [n], [], [new PageRow($"page:p-{n}", new string('u', 200), 1)]), CancellationToken.None))];

        held.LetGo();

        foreach (Task write in writes)
        {
            IOException error = await Assert.ThrowsAsync<IOException>(() => write);
            Assert.Contains("full", error.Message);
            Assert.Contains("make room", error.Message);
        }

        Assert.Equal([s_key], await store.Counts.ScanWindowsAsync(CancellationToken.None).Select(pair => pair.Key).ToArrayAsync());
        Assert.Empty(await store.Counts.ReadPageUrlsAsync([.. Enumerable.Range(0, 500).Select(n => $"p-{n}")], CancellationToken.None));

        await PragmaAsync(store, "PRAGMA max_page_count = 1000000");
        await Task.WhenAll(Enumerable.Range(0, 500).Select(n => store.Windows.WriteAsync(new WindowKey($"ad:{n}", 500_000, 0), Row(3, 0, 1))));
        Assert.Equal(500, await store.Counts.ScanWindowsAsync(CancellationToken.None).CountAsync());
    }

    [Fact]
    public async Task A_write_that_cannot_be_done_fails_alone()
    {
        await using var store = new StoreFolder();
        await using var held = new HeldWriter(store.Store);
        Task[] good = [.. Enumerable.Range(0, 20).Select(n => store.Windows.WriteAsync(new WindowKey($"ad:{n}", 1, 0), Row(1, 0, 1)))];
        Task bad = store.Store.WriteAsync(new ActionWrite(_ => throw new InvalidOperationException("bad")));
        Task alsoBad = store.Batches.WriteAsync(new BatchRows(0, 1, 1, [], [], [new PageRow("page:p-1", null!, 1)]), CancellationToken.None);
        Task last = store.Windows.WriteAsync(new WindowKey("ad:last", 1, 0), Row(1, 0, 1));

        held.LetGo();

        await Task.WhenAll(good);
        await last;
        Assert.Equal("bad", (await Assert.ThrowsAsync<IOException>(() => bad)).InnerException!.Message);
        Assert.Contains("NOT NULL", (await Assert.ThrowsAsync<IOException>(() => alsoBad)).Message);
        Assert.Equal(21, await store.Counts.ScanWindowsAsync(CancellationToken.None).CountAsync());
    }

    [Fact]
    public async Task A_row_that_the_store_refuses_stops_its_own_window_only()
    {
        await using var store = new StoreFolder();
        await store.Store.WriteAsync(new ActionWrite(statements =>
        {
            using var refusal = new Statement(
                statements.Database,
                "CREATE TRIGGER refuse BEFORE INSERT ON clicks_by_hour WHEN NEW.series = 'ad:1' BEGIN SELECT RAISE(ABORT, 'not this one'); END");
            refusal.Run();
        }));

        for (int n = 1; n < 3; n++)
        {
            Task own = store.Windows.WriteAsync(s_key, Row(n, 0, n));
            Task other = store.Windows.WriteAsync(new WindowKey("ad:2", 500_000, 0), Row(n, 0, n));
            Assert.Contains("not this one", (await Assert.ThrowsAsync<IOException>(() => own)).Message);
            await other;
        }

        Assert.Equal(2, (await store.Windows.ReadAsync(new WindowKey("ad:2", 500_000, 0))).DayClicks);
    }

    [Fact]
    public async Task A_list_that_cannot_be_stored_is_refused_before_it_is_queued()
    {
        await using var store = new StoreFolder();
        var list = new TopList(new TopKey(TargetKind.Ad, TopSlice.Hour, 1, 0), [new TopEntry(new string('x', 300), 1)], 0);

        await Assert.ThrowsAsync<OverflowException>(async () => await store.Batches.WriteAsync(new BatchRows(0, 1, 1, [], [list], []), CancellationToken.None));
    }

    [Fact]
    public async Task Writes_beyond_the_bound_wait_for_room_and_all_are_done()
    {
        await using var store = new StoreFolder(change: options => options with { MaxQueued = 10, MaxTransaction = 4 });
        await using var held = new HeldWriter(store.Store);
        Task[] writes = [.. Enumerable.Range(0, 100).Select(n => store.Windows.WriteAsync(new WindowKey($"ad:{n}", 1, 0), Row(1, 0, 1)))];
        Assert.Equal(10, store.Store.QueuedWrites);
        Assert.DoesNotContain(writes, write => write.IsCompleted);

        held.LetGo();

        await Task.WhenAll(writes);
        Assert.Equal(100, await store.Counts.ScanWindowsAsync(CancellationToken.None).CountAsync());
    }

    [Fact]
    public async Task Closing_does_what_waits_and_refuses_what_comes_later()
    {
        await using var store = new StoreFolder(change: options => options with { MaxQueued = 50 });
        var held = new HeldWriter(store.Store);
        Task[] waiting = [.. Enumerable.Range(0, 50).Select(n => store.Windows.WriteAsync(new WindowKey($"ad:{n}", 1, 0), Row(1, 0, 1)))];
        Task outside = store.Windows.WriteAsync(new WindowKey("ad:outside", 1, 0), Row(1, 0, 1));
        Task closing = store.Store.DisposeAsync().AsTask();
        held.LetGo();
        await closing;

        await Task.WhenAll(waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.Windows.WriteAsync(s_key, Row(1, 0, 1)));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.Windows.ReadAsync(s_key));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.Counts.ReadDaysAsync(["ad:1"], 0, 1, CancellationToken.None));
        bool taken = await Record.ExceptionAsync(() => outside) is null;
        await store.Store.DisposeAsync();

        await store.ReopenAsync();
        Assert.Equal(taken ? 51 : 50, await store.Counts.ScanWindowsAsync(CancellationToken.None).CountAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_chosen_to_go_and_is_written_before_it_goes_stays(bool withMinutes)
    {
        await using var store = new StoreFolder(new Kept(TimeSpan.FromHours(2), TimeSpan.FromDays(3)));
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddDays(20_010);
        var key = new WindowKey("ad:1", 20_000 * 24, 0);
        WindowRow old = Row(now.AddDays(-9).ToUnixTimeMilliseconds() * 1000, 0, 1);
        old.Minutes = withMinutes ? old.Minutes : null; // with minutes these are chosen first, without them the day is
        await store.Windows.WriteAsync(key, old);
        await using var held = new HeldWriter(store.Store);
        Task writing = store.Windows.WriteAsync(key, Row(now.ToUnixTimeMilliseconds() * 1000, 7, 2));
        Task forgetting = store.ForgetAsync(now);
        Assert.True(SpinWait.SpinUntil(() => store.Store.QueuedWrites == 2, TimeSpan.FromSeconds(10)));
        held.LetGo();
        await writing;
        await forgetting;

        WindowRow row = await store.Windows.ReadAsync(key);
        Assert.Equal((2, 2, 2), (row.Clicks, row.Minutes![7], row.DayClicks));
        Assert.Null(await store.Counts.ReadMinutesFloorAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_hours_of_a_batch_are_marked_by_its_stamp()
    {
        await using var store = new StoreFolder();
        foreach ((int upto, long stamp) in new[] { (5, 10L), (9, 10L), (3, 9L), (7, 11L) })
        {
            await store.Batches.WriteAsync(new BatchRows(2, upto, stamp, [-1, 500_000], [], []), CancellationToken.None);
        }

        Assert.Equal("-1 2 7 11; 500000 2 7 11", await store.Store.ReadAsync(
            session =>
            {
                Statement rows = session.Prepare("SELECT hour, chain, upto, stamp FROM hours ORDER BY hour");
                var texts = new List<string>();
                while (rows.Step())
                {
                    texts.Add(string.Create(CultureInfo.InvariantCulture, $"{rows.Number(0)} {rows.Number(1)} {rows.Number(2)} {rows.Number(3)}"));
                }

                rows.Reset();
                return string.Join("; ", texts);
            },
            CancellationToken.None));
    }

    private static async Task<long> PragmaAsync(StoreFolder store, string sql)
    {
        long value = 0;
        await store.Store.WriteAsync(new ActionWrite(statements =>
        {
            using var pragma = new Statement(statements.Database, sql);
            value = pragma.Step() ? pragma.Number(0) : 0;
        }));
        return value;
    }

    /// <summary>Keeps the writer's thread inside a transaction, so that what comes now waits together.</summary>
    private sealed class HeldWriter : IAsyncDisposable
    {
        private readonly ManualResetEventSlim _let = new();
        private readonly ManualResetEventSlim _held = new();
        private readonly Task _write;

        public HeldWriter(SqliteStore store)
        {
            _write = store.WriteAsync(new ActionWrite(_ =>
            {
                _held.Set();
                _let.Wait();
            }));
            _held.Wait();
        }

        public void LetGo() => _let.Set();

        public async ValueTask DisposeAsync()
        {
            _let.Set();
            await _write;
            _held.Dispose();
            _let.Dispose();
        }
    }
}
