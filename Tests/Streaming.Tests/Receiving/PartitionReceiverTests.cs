using ClickAggregator.Streaming.Caching;
using ClickAggregator.Streaming.Receiving;
using ClickAggregator.Streaming.Tests.Clusters;
using ClickAggregator.Streaming.Tests.Logs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Tests.Receiving;

public class PartitionReceiverTests
{
    private static readonly StreamId s_stream = StreamId.Create("clicks", 0L);
    private static readonly Func<Slab, SlabContainer> s_contain = slab => new SlabContainer(s_stream, slab);
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryLog _log = new(1);
    private readonly Consumption _start = new();
    private readonly SlabCache _cache;
    private readonly PartitionReceiver _receiver;

    public PartitionReceiverTests()
    {
        var instruments = new StreamInstruments("log", 0);
        _cache = new SlabCache(1 << 20, 1024, instruments);
        _receiver = new PartitionReceiver(
            0, s_contain, _log, _start, _cache, 1024, instruments, _time, new SeldomSaid(_time), NullLogger<PartitionReceiver>.Instance);
    }

    [Fact]
    public async Task A_look_at_an_idle_log_returns_nothing_and_allocates_no_list()
    {
        Assert.Empty(await PullAsync());
        Assert.Same(await PullAsync(), await PullAsync());
    }

    [Fact]
    public async Task After_a_fault_it_waits_and_then_goes_on_where_it_stood()
    {
        _log.Append(0, 30, 100);
        Assert.Equal((0, 10), await PullOneAsync());
        _log.FailReads(2);
        Assert.Empty(await PullAsync());
        Assert.Empty(await PullAsync());
        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Empty(await PullAsync());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        // The second fault; it waits twice as long.
        Assert.Empty(await PullAsync());
        _time.Advance(TimeSpan.FromMilliseconds(199));
        Assert.Empty(await PullAsync());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((10, 20), await PullOneAsync());
        Assert.Equal((20, 30), await PullOneAsync());
    }

    [Fact]
    public async Task It_waits_no_longer_than_five_seconds()
    {
        _log.Append(0, 1, 100);
        _log.FailReads(20);
        for (int fault = 0; fault < 20; fault++)
        {
            Assert.Empty(await PullAsync());
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal((0, 1), await PullOneAsync());
    }

    [Fact]
    public async Task An_outage_is_told_once_and_then_once_a_minute_for_all_partitions_and_without_a_stack()
    {
        var log = new MemoryLog(2);
        log.FailReads(1000);
        var told = new TestLog();
        var said = new SeldomSaid(_time);
        PartitionReceiver[] receivers = [.. Enumerable.Range(0, 2).Select(partition => new PartitionReceiver(
            partition, s_contain, log, _start, new SlabCache(1 << 20, 1024, new StreamInstruments("log", partition)), 1024,
            new StreamInstruments("log", partition), _time, said, new Logger<PartitionReceiver>(new LoggerFactory([told]))))];
        log.Append(0, 1, 100);
        log.Append(1, 1, 100);
        for (int round = 0; round < 12; round++)
        {
            await LookAsync();
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Single(told.Lines, line => line.Contains("could not be read, again in", StringComparison.Ordinal));
        await LookAsync();
        string[] lines = [.. told.Lines.Where(line => line.Contains("could not be read, again in", StringComparison.Ordinal))];
        Assert.Equal(2, lines.Length);
        Assert.Contains("(23 more since this was last said)", lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain(told.Lines, line => line.Contains("   at ", StringComparison.Ordinal));

        async Task LookAsync()
        {
            foreach (PartitionReceiver receiver in receivers)
            {
                Assert.Empty(await receiver.GetQueueMessagesAsync(-1, TestContext.Current.CancellationToken));
            }
        }
    }

    [Fact]
    public async Task Offsets_that_the_log_forgot_are_left_behind_and_the_next_slab_starts_where_the_log_does()
    {
        _log.Append(0, 100, 100);
        Assert.Equal((0, 10), await PullOneAsync());
        _log.TrimStart(0, 55);
        Assert.Empty(await PullAsync());
        Assert.Equal((55, 65), await PullOneAsync());
    }

    [Fact]
    public async Task Beyond_the_end_of_the_log_it_never_moves_back()
    {
        _start.Store(0, 80);
        _log.Append(0, 50, 100);
        Assert.Empty(await PullAsync());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await PullAsync());
        _log.Append(0, 40, 100);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((80, 90), await PullOneAsync());
    }

    [Fact]
    public async Task While_the_start_is_unknown_it_is_asked_for_again()
    {
        _log.Append(0, 10, 100);
        var instruments = new StreamInstruments("log", 0);
        var start = new FailingStart();
        var receiver = new PartitionReceiver(
            0, s_contain, _log, start, _cache, 1024, instruments, _time, new SeldomSaid(_time), NullLogger<PartitionReceiver>.Instance);
        Assert.Empty(await receiver.GetQueueMessagesAsync(-1, TestContext.Current.CancellationToken));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(await receiver.GetQueueMessagesAsync(-1, TestContext.Current.CancellationToken));
        Assert.Equal(2, start.Asked);
    }

    [Fact]
    public async Task A_cursor_below_moves_it_there()
    {
        _start.Store(0, 50);
        _log.Append(0, 100, 100);
        Assert.Equal((50, 60), await PullOneAsync());
        using IQueueCacheCursor cursor = _cache.GetCacheCursor(s_stream, PartitionSequenceToken.After(7));
        Assert.Equal((7, 17), await PullOneAsync());
        Assert.Equal((17, 27), await PullOneAsync());
    }

    [Fact]
    public async Task A_full_cache_stops_it()
    {
        _log.Append(0, 30_000, 100);
        int reads = 0;
        while (await PullAsync() is { Count: > 0 } pulled)
        {
            _cache.AddToCache(pulled);
            Assert.InRange(++reads, 1, 2000);
        }

        Assert.False(_cache.HasRoom);
        Assert.False(_cache.IsUnderPressure());
    }

    [Fact]
    public async Task Its_shutdown_releases_all_that_was_read()
    {
        _log.Append(0, 100, 100);
        await PullOneAsync();
        await PullOneAsync();
        await _receiver.Shutdown(TimeSpan.FromSeconds(1));
        Assert.Equal(0, _log.HeldBytes);
    }

    [Fact]
    public async Task A_canceled_look_ends_with_its_cancellation()
    {
        using var canceled = new CancellationTokenSource();
        await canceled.CancelAsync();
        var receiver = new PartitionReceiver(
            0, s_contain, _log, new CanceledStart(), _cache, 1024, new StreamInstruments("log", 0), _time,
            new SeldomSaid(_time), NullLogger<PartitionReceiver>.Instance);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiver.GetQueueMessagesAsync(-1, canceled.Token));
    }

    private Task<IList<IBatchContainer>> PullAsync() =>
        _receiver.GetQueueMessagesAsync(-1, TestContext.Current.CancellationToken);

    private async Task<(long From, long To)> PullOneAsync()
    {
        IList<IBatchContainer> pulled = await PullAsync();
        _cache.AddToCache(pulled);
        Slab slab = ((SlabContainer)Assert.Single(pulled)).Slab;
        return (slab.From, slab.To);
    }

    private sealed class FailingStart : IReaderStart
    {
        public int Asked { get; private set; }

        public ValueTask<long> GetStartAsync(int partition, CancellationToken cancellationToken) =>
            Asked++ == 0 ? throw new IOException("the store is away") : new(0);
    }

    private sealed class CanceledStart : IReaderStart
    {
        public ValueTask<long> GetStartAsync(int partition, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new(0);
        }
    }
}
