using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Tests.Simulation;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Grains.Tests.Archive;

public class ChainArchiveTests
{
    private const long Hour = 3_600_000;
    private static readonly long s_start = Counting.FoldSamples.Start;
    private static readonly ArchiveChain s_chain = new("log-1", 0, 7);
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeMilliseconds(s_start));
    private readonly MemoryLog _log = new(new Random(1));
    private readonly MemoryArchiveStore _store = new();
    private readonly MemoryObjects _objects = new();
    private readonly ArchiveOptions _options = new() { TakenAwayAfter = TimeSpan.Zero };

    [Fact]
    public async Task What_waits_in_the_log_is_archived_once_it_is_old_enough()
    {
        Append(3);
        ChainArchive archive = await StartAsync();
        Assert.False(await archive.StepAsync(CancellationToken.None));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.True(await archive.StepAsync(CancellationToken.None));
        Assert.Equal(["inbox/chain-0007/000000000000-000000000002.parquet", "manifest/chain-0007/000000000001.json"], _objects.All.Keys);
        Assert.Equal(3, archive.Record.Upto);
        ArchivedObject one = Assert.Single((await HourAsync(archive, s_start)).Objects);
        Assert.Equal((3, 3, 0, 3), (one.Rows, one.HourRows, one.From, one.To));
    }

    [Fact]
    public async Task The_clicks_of_an_hour_that_is_over_move_into_the_table()
    {
        Append(3);
        ChainArchive archive = await StartAsync();
        _time.Advance(TimeSpan.FromMinutes(59));
        Append(2);
        await RunAsync(archive);
        _time.Advance(TimeSpan.FromMinutes(30));
        await RunAsync(archive);
        Assert.Equal(
            [
                "clicks/date=2026-11-23/hour=00/p0007-000000000000-000000000004.parquet", "manifest/chain-0007/000000000001.json",
                "manifest/chain-0007/000000000002.json",
            ],
            _objects.All.Keys);
        Assert.Empty(archive.Record.Inbox);
        Assert.Equal(5, Assert.Single((await HourAsync(archive, s_start)).Objects).HourRows);
        await AssertSoundAsync(5);
    }

    private void Append(int clicks, long? time = null)
    {
        for (int n = 0; n < clicks; n++)
        {
            long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            _log.Entries.Add(new Entry(_log.End, now, "a1", $"c{_log.End}", "", time ?? now, false));
            _log.End++;
        }
    }

    private async Task<ChainArchive> StartAsync(ArchiveOptions? options = null, IClickFiles? files = null)
    {
        var archive = new ChainArchive(
            s_chain, options ?? _options, new DuplicateRule(TimeSpan.FromMinutes(10), 1000), _log, static (range, _) => new(range.End),
            new ArchiveStores(_store.Open(), _store, _objects), files ?? new PlainClickFiles(), new ArchiveGate(1), _time, NullLogger.Instance,
            new ArchiveInstruments(new ArchiveBoard()), aside: false, ArchiveFaults.None);
        await archive.StartAsync(CancellationToken.None);
        return archive;
    }

    private static async Task RunAsync(ChainArchive archive)
    {
        while (await archive.StepAsync(CancellationToken.None))
        {
        }
    }

    private Task<ArchivedHour> HourAsync(ChainArchive archive, long time) =>
        ArchivedHours.FindAsync(() => archive.Record, _store, (int)(time / Hour), ArchiveFaults.None, CancellationToken.None);

    private async Task AssertSoundAsync(long clicks)
    {
        ArchiveReport report = await new ArchiveVerification(_objects, new PlainClickFiles()).WalkAsync(s_chain, CancellationToken.None);
        Assert.Empty(report.Faults);
        Assert.Equal(clicks, report.Clicks);
    }
}
