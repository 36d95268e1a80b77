using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
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

    [Fact]
    public async Task Late_clicks_of_an_hour_that_moved_wait_a_day_for_others()
    {
        Append(2);
        _time.Advance(TimeSpan.FromHours(2));
        ChainArchive archive = await StartAsync();
        await RunAsync(archive);
        Append(1, s_start);
        _time.Advance(TimeSpan.FromMinutes(20));
        await RunAsync(archive);
        Assert.Equal([2L, 1L], (await HourAsync(archive, s_start)).Objects.Select(one => one.HourRows));
        Assert.Single(_objects.All.Keys, key => key.StartsWith("clicks/", StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromHours(23));
        await RunAsync(archive);
        Assert.Equal([2L, 1L], (await HourAsync(archive, s_start)).Objects.Select(one => one.HourRows));
        Assert.Empty(archive.Record.Inbox);
        await AssertSoundAsync(3);
    }

    [Fact]
    public async Task The_personal_fields_of_one_users_clicks_are_cleared_in_place()
    {
        EraseSamples();
        ChainArchive archive = await StartAsync();
        await RunAsync(archive);
        Assert.Equal(2, archive.Record.Entries);
        IReadOnlyList<string> keys = [.. _objects.All.Keys.Where(key => !key.StartsWith("manifest/", StringComparison.Ordinal))];
        var order = new ErasureOrder(5, 77, "u-1", archive.Record.Upto, false, [new InvalidationSpan(3, new InvalidationFilter(0, long.MaxValue, UserId: "u-1"), 1, At: 9)]);
        List<ErasedObject> found = await EraseAsync(archive, order);
        Assert.Equal([(keys[1], 3L, 3L), (keys[0], 1L, 4L)], found.Select(one => (one.Key, one.Rows, one.Entry)));
        Assert.Equal(keys, _objects.All.Keys.Where(key => !key.StartsWith("manifest/", StringComparison.Ordinal)));
        Assert.DoesNotContain(_objects.All.Values, content => content.AsSpan().IndexOf("u-1"u8) >= 0);
        Assert.Equal(["", "u-2", "", "", ""], Rows(keys[1]).Select(row => row.User));
        Assert.Equal(["3@9", "", "3@9", "", "3@9"], Rows(keys[1]).Select(row => row.Marks));
        Assert.Empty(await EraseAsync(archive, order));
        ErasedObjects erased = await ChainArchive.FindErasedAsync(_objects, archive.Record, 5, 77, 2, 1, CancellationToken.None);
        Assert.Equal((1, 2L, 4L), (erased.Objects.Count, erased.Count, erased.Rows));
        Assert.Empty((await ChainArchive.FindErasedAsync(_objects, archive.Record, 5, 78, 0, 1, CancellationToken.None)).Objects);
        await AssertSoundAsync(5);
    }

    [Fact]
    public async Task A_dry_run_says_which_objects_hold_a_user_and_changes_nothing()
    {
        EraseSamples();
        ChainArchive archive = await StartAsync();
        await RunAsync(archive);
        byte[][] before = [.. _objects.All.Values];
        List<ErasedObject> found = await EraseAsync(archive, new ErasureOrder(5, 77, "u-1", archive.Record.Upto, true, []));
        Assert.Equal([3L, 1L], found.Select(one => one.Rows)); // one click moved into the table, and is in the inbox still
        Assert.All(found, one => Assert.Null(one.After));
        Assert.Equal(before, _objects.All.Values);
    }

    [Fact]
    public async Task An_erasure_that_was_begun_and_not_done_is_made_good_by_the_next_owner_and_asked_again()
    {
        EraseSamples();
        ChainArchive archive = await StartAsync();
        await RunAsync(archive);
        var order = new ErasureOrder(5, 77, "u-1", archive.Record.Upto, false, []);
        _objects.Before = (operation, _) =>
        {
            if (operation == "replace")
            {
                throw new ArchiveUnavailableException("cut");
            }
        };
        await Assert.ThrowsAsync<ArchiveUnavailableException>(() => archive.EraseNextAsync(order, "", CancellationToken.None));
        _objects.Before = null;
        archive = await StartAsync();
        ManifestEntry made = ManifestFormat.Read(_objects.All["manifest/chain-0007/000000000004.json"], "4");
        Assert.Equal((ArchiveCause.Erase, 3L, 0L), (made.Cause, made.Replaces, made.Erased));
        await AssertSoundAsync(5);
        Assert.Equal(2, (await EraseAsync(archive, order)).Count);
        Assert.DoesNotContain(_objects.All.Values, content => content.AsSpan().IndexOf("u-1"u8) >= 0);
        await AssertSoundAsync(5);
    }

    [Fact]
    public async Task An_object_of_the_inbox_that_is_there_again_after_it_was_deleted_goes_once_more()
    {
        Append(3);
        ChainArchive archive = await StartAsync();
        _time.Advance(TimeSpan.FromMinutes(10));
        await RunAsync(archive);
        KeyValuePair<string, byte[]> inbox = _objects.All.First(one => one.Key.StartsWith("inbox/", StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromHours(2));
        await RunAsync(archive);
        Assert.DoesNotContain(inbox.Key, _objects.All.Keys);
        _objects.All[inbox.Key] = inbox.Value;
        Append(1);
        await EraseAsync(archive, new ErasureOrder(1, 1, "u-1", archive.Record.Upto, false, []));
        Assert.DoesNotContain(inbox.Key, _objects.All.Keys);
        await AssertSoundAsync(3);
    }

    [Fact]
    public async Task What_is_not_archived_yet_and_what_is_damaged_is_said()
    {
        EraseSamples();
        ChainArchive archive = await StartAsync();
        Assert.NotNull((await archive.EraseNextAsync(new ErasureOrder(5, 77, "u-1", 5, false, []), "", CancellationToken.None)).Waits);
        await RunAsync(archive);
        string key = _objects.All.Keys.First(one => one.StartsWith("clicks/", StringComparison.Ordinal));
        _objects.All[key] = [1];
        var damaged = new List<string>();
        await EraseAsync(archive, new ErasureOrder(5, 77, "u-1", archive.Record.Upto, false, []), damaged);
        Assert.Contains(key, Assert.Single(damaged), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_that_is_lost_is_read_from_the_manifest()
    {
        Action empty = _store.Copy();
        Append(20, s_start - (5 * Hour));
        Append(10);
        ChainArchive archive = await StartAsync();
        _time.Advance(TimeSpan.FromMinutes(10));
        await RunAsync(archive);
        ArchiveRecord before = archive.Record;
        empty();
        archive = await StartAsync();
        await RunAsync(archive);
        Assert.Equal((before.Entries, before.LastHash, before.Upto, before.DedupFrom), (archive.Record.Entries, archive.Record.LastHash, archive.Record.Upto, archive.Record.DedupFrom));
        Assert.Equal(before.Inbox.Select(one => one.Key), archive.Record.Inbox.Select(one => one.Key));
        Assert.Equal(20, Assert.Single((await HourAsync(archive, s_start - (5 * Hour))).Objects).HourRows);
        await AssertSoundAsync(30);
    }

    [Fact]
    public async Task What_the_log_lost_is_an_entry_and_what_is_left_is_archived()
    {
        Append(10);
        _log.Start = 4;
        _time.Advance(TimeSpan.FromMinutes(10));
        ChainArchive archive = await StartAsync();
        await RunAsync(archive);
        Assert.Equal([new LostRange(0, 4)], archive.Record.Lost);
        ManifestEntry lost = ManifestFormat.Read(_objects.All["manifest/chain-0007/000000000001.json"], "1");
        Assert.Equal((ArchiveCause.Lost, 0L, 4L), (lost.Cause, lost.From, lost.To));
        await AssertSoundAsync(6);
    }

    [Fact]
    public async Task An_object_that_another_build_makes_otherwise_is_named_by_an_entry_that_replaces_the_first()
    {
        Append(10);
        _time.Advance(TimeSpan.FromMinutes(10));
        ChainArchive archive = await StartAsync();
        _objects.Before = (operation, key) =>
        {
            if (operation == "create" && key.StartsWith("inbox/", StringComparison.Ordinal))
            {
                throw new ArchiveUnavailableException("cut");
            }
        };
        await Assert.ThrowsAsync<ArchiveUnavailableException>(() => archive.StepAsync(CancellationToken.None));
        _objects.Before = null;
        archive = await StartAsync(files: new PlainClickFiles(version: 2));
        Assert.Equal(2, archive.Record.Entries);
        Assert.Equal(1, ManifestFormat.Read(_objects.All["manifest/chain-0007/000000000002.json"], "2").Replaces);
        await AssertSoundAsync(10);
    }

    [Fact]
    public async Task A_damaged_object_of_the_inbox_is_named_and_stops_its_hours_alone()
    {
        Append(3, s_start - (5 * Hour));
        ChainArchive archive = await StartAsync(_options with { MergeGrace = TimeSpan.FromHours(7) });
        _time.Advance(TimeSpan.FromMinutes(10));
        await RunAsync(archive);
        string key = Assert.Single(archive.Record.Inbox).Key;
        _objects.All[key][20] ^= 1;
        Append(4, s_start - (4 * Hour));
        _time.Advance(TimeSpan.FromMinutes(10));
        archive = await StartAsync();
        await RunAsync(archive);
        Assert.Equal([key], archive.Damaged);
        Assert.Equal(7, archive.Record.Upto);
        Assert.Contains("clicks/date=2026-11-22/hour=20/p0007-000000000003-000000000006.parquet", _objects.All.Keys);
        Assert.Equal([$"{key} is not what was written"], await FaultsAsync());
    }

    [Fact]
    public async Task An_empty_archive_in_another_place_is_begun_with_what_the_log_still_holds()
    {
        Append(10);
        _time.Advance(TimeSpan.FromMinutes(10));
        await RunAsync(await StartAsync());
        _objects.All.Clear();
        _log.Start = 5;
        ChainArchive archive = await StartAsync();
        await RunAsync(archive);
        Assert.Equal([new LostRange(0, 5)], archive.Record.Lost);
        await AssertSoundAsync(5);
    }

    [Theory]
    [InlineData("manifest/chain-0007/000000000002.json")]
    [InlineData("manifest/chain-0007/000000000001.json")]
    public async Task A_manifest_that_lacks_what_the_record_knows_stops_the_archive(string gone)
    {
        for (int n = 0; n < 2; n++)
        {
            Append(10);
            _time.Advance(TimeSpan.FromMinutes(10));
            await RunAsync(await StartAsync());
        }

        _objects.All.Remove(gone);
        if (gone.EndsWith("2.json", StringComparison.Ordinal))
        {
            ChainStoppedException stopped = await Assert.ThrowsAsync<ChainStoppedException>(() => StartAsync());
            Assert.Equal("manifest_damaged", stopped.Code);
        }

        Assert.Contains(gone.EndsWith("2.json", StringComparison.Ordinal) ? "no entry names it" : gone, (await FaultsAsync())[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_archive_of_another_log_is_refused()
    {
        Append(10);
        _time.Advance(TimeSpan.FromMinutes(10));
        Action empty = _store.Copy();
        await RunAsync(await StartAsync());
        empty();
        ChainStoppedException stopped = await Assert.ThrowsAsync<ChainStoppedException>(() => StartAsync(chain: s_chain with { Log = "log-2" }));
        Assert.Equal("archive_of_another", stopped.Code);
    }

    [Fact]
    public async Task Verification_finds_an_altered_entry_a_missing_object_and_one_that_no_entry_names()
    {
        for (int n = 0; n < 2; n++)
        {
            Append(10);
            Append(10, s_start - ((5 - n) * Hour));
            _time.Advance(TimeSpan.FromMinutes(10));
            await RunAsync(await StartAsync());
        }

        string table = _objects.All.Keys.First(key => key.StartsWith("clicks/", StringComparison.Ordinal));
        byte[] content = _objects.All[table];
        _objects.All.Remove(table);
        Assert.Equal([$"{table} is gone"], await FaultsAsync());
        _objects.All[table] = content;
        _objects.All[table.Replace("p0007-000000000010", "p0007-000000000011", StringComparison.Ordinal)] = content;
        Assert.Contains("no entry names it", Assert.Single(await FaultsAsync()), StringComparison.Ordinal);
        _objects.All.Remove(table.Replace("p0007-000000000010", "p0007-000000000011", StringComparison.Ordinal));
        _objects.All["manifest/chain-0007/000000000001.json"][^3] ^= 1;
        Assert.Contains("manifest_damaged", Assert.Single(await FaultsAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_said_once_a_minute_that_the_log_will_forget_what_is_not_archived()
    {
        var options = new ArchiveOptions { LogRetention = TimeSpan.FromHours(2) };
        var alarm = new ArchiveAlarm(options, _time, NullLogger.Instance);
        Assert.False(alarm.Look(new ArchiveLag(s_chain, true, 5, 3599, 0, null)));
        Assert.True(alarm.Look(new ArchiveLag(s_chain, true, 5, 3601, 0, null)));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(alarm.Look(new ArchiveLag(s_chain, true, 5, 3660, 0, null)));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(alarm.Look(new ArchiveLag(s_chain, true, 5, 3661, 0, null)));
    }

    [Theory]
    [InlineData(6, 3)]
    [InlineData(3, 0)]
    public async Task Repeats_that_the_counting_has_found_of_more_than_half_of_what_waits_are_not_found_again(long counted, long dedupFrom)
    {
        var repeats = new RepeatBoard();
        repeats.Follow(s_chain.Number);
        repeats.Note(s_chain.Number, new CountingRules(RollupSet.Default, TimeSpan.FromMinutes(10), 1000), new CountedRepeats(0, counted, 3, []));
        ChainArchive archive = await StartAsync(repeats: repeats);
        Append(6);
        _time.Advance(TimeSpan.FromHours(1));
        await RunAsync(archive);

        Assert.Equal((6, dedupFrom), (archive.Record.Upto, archive.Record.DedupFrom));
        await AssertSoundAsync(6);
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

    private async Task<ChainArchive> StartAsync(ArchiveOptions? options = null, IClickFiles? files = null, ArchiveChain? chain = null, RepeatBoard? repeats = null)
    {
        var archive = new ChainArchive(
            chain ?? s_chain, options ?? _options, new DuplicateRule(TimeSpan.FromMinutes(10), 1000), _log, static (range, _) => new(range.End),
            new ArchiveStores(_store.Open(), _store, _objects), files ?? new PlainClickFiles(), new ArchiveGate(1), _time, NullLogger.Instance,
            new ArchiveInstruments(new ArchiveBoard()), aside: false, ArchiveFaults.None)
        {
            Repeats = repeats,
        };
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

    private async Task<IReadOnlyList<string>> FaultsAsync() =>
        (await new ArchiveVerification(_objects, new PlainClickFiles()).WalkAsync(s_chain, CancellationToken.None)).Faults;

    private async Task AssertSoundAsync(long clicks)
    {
        ArchiveReport report = await new ArchiveVerification(_objects, new PlainClickFiles()).WalkAsync(s_chain, CancellationToken.None);
        Assert.Empty(report.Faults);
        Assert.Equal(clicks, report.Clicks);
    }

    /// <summary>Clicks of an hour that is over, which move into the table, and of this one; some of user u-1.</summary>
    private void EraseSamples()
    {
        string[] users = ["u-1", "u-2", "u-1", "", "u-1"];
        for (int n = 0; n < users.Length; n++)
        {
            _log.Entries.Add(new Entry(n, _time.GetUtcNow().ToUnixTimeMilliseconds(), "a", $"c{n}", "", n == 4 ? s_start - Hour : s_start, false, users[n], "site"));
        }

        _log.End = users.Length;
        _time.Advance(TimeSpan.FromMinutes(16));
    }

    private static async Task<List<ErasedObject>> EraseAsync(ChainArchive archive, ErasureOrder order, List<string>? damaged = null)
    {
        var found = new List<ErasedObject>();
        for (string? place = ""; place is not null;)
        {
            ErasedStretch one = await archive.EraseNextAsync(order, place, CancellationToken.None);
            Assert.Null(one.Waits);
            found.AddRange(one.Found);
            damaged?.AddRange(one.Damaged);
            place = one.Next;
        }

        return found;
    }

    private List<(string User, string Marks)> Rows(string key)
    {
        var rows = new ClickRows();
        return [.. new PlainClickFiles().Read(_objects.All[key], rows, ClickColumns.All).SelectMany(count => Enumerable.Range(0, count).Select(row => (rows.UserIds.Text(row) ?? "", rows.InvalidatedBy.Text(row) ?? "")).ToArray())];
    }
}
