using ClickAggregator.Grains.Archive;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Grains.Tests.Archive;

public class ManifestWatchTests
{
    private static readonly ArchiveChain s_chain = new("log-1", 0, 7);
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryObjects _objects = new();
    private readonly List<int> _posted = [];
    private ArchiveRecord _record = new() { Chain = s_chain };
    private int _reads;

    public ManifestWatchTests() => _objects.Before = (_, _) => _reads++;

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(39)]
    [InlineData(40)]
    public async Task An_entry_that_is_gone_or_altered_is_named_alone(long number)
    {
        Append(40);
        string key = ArchiveKeys.Entry(7, number);
        Assert.Empty(await FindAsync());
        byte[] was = _objects.All[key];
        _objects.All[key] = ManifestFormat.Write(ManifestFormat.Read(was, key) with { To = 1_000_000 });
        Assert.StartsWith($"manifest_damaged: {key} of the archive is not what was written. Bring it back", Assert.Single(await FindAsync()), StringComparison.Ordinal);
        _objects.All[key] = [1, 2, 3];
        Assert.Contains(key, Assert.Single(await FindAsync()), StringComparison.Ordinal);
        _objects.All.Remove(key);
        Assert.Contains($"{key} of the archive is gone", Assert.Single(await FindAsync()), StringComparison.Ordinal);
        _objects.All[key] = was;
        Assert.Empty(await FindAsync());
    }

    [Fact]
    public async Task Entries_that_were_all_written_anew_are_not_those_that_the_record_knows()
    {
        Append(5);
        ArchiveRecord record = _record;
        _record = new ArchiveRecord { Chain = s_chain };
        Append(5, upto: 17);
        _record = record;
        Assert.Contains(ArchiveKeys.Entry(7, 5), Assert.Single(await FindAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_very_many_are_gone_the_last_are_named()
    {
        Append(1000);
        _objects.All.Clear();
        IReadOnlyList<string> faults = await FindAsync();
        Assert.Equal(10, faults.Count);
        Assert.EndsWith("others before it were not looked at", faults[^1], StringComparison.Ordinal);
        Assert.True(_reads < 1100);
    }

    [Fact]
    public async Task It_looks_at_start_once_a_day_and_once_a_minute_while_something_is_wrong()
    {
        Append(3);
        ManifestWatch watch = Watch();
        watch.LookIfDue(CancellationToken.None);
        Assert.Equal(3, _reads);
        Assert.Equal([0], _posted);
        _time.Advance(TimeSpan.FromHours(23));
        watch.LookIfDue(CancellationToken.None);
        Assert.Equal(3, _reads);
        _objects.All.Remove(ArchiveKeys.Entry(7, 2), out byte[]? was);
        _time.Advance(TimeSpan.FromHours(1));
        watch.LookIfDue(CancellationToken.None);
        Assert.Single(watch.Faults);
        Assert.Equal([0, 1], _posted);
        _objects.All[ArchiveKeys.Entry(7, 2)] = was!;
        _time.Advance(TimeSpan.FromMinutes(1));
        watch.LookIfDue(CancellationToken.None);
        Assert.Empty(watch.Faults);
        Assert.Equal([0, 1, 0], _posted);

        // What cannot be read is tried again soon, and what was known stands.
        _objects.Before = (_, _) => throw new ArchiveUnavailableException("away");
        await Assert.ThrowsAsync<ArchiveUnavailableException>(() => watch.LookAsync(asked: true, CancellationToken.None));
        _objects.Before = null;
        _objects.All.Remove(ArchiveKeys.Entry(7, 1));
        _time.Advance(TimeSpan.FromMinutes(1));
        watch.LookIfDue(CancellationToken.None);
        Assert.Single(watch.Faults);
    }

    [Fact]
    public async Task A_manifest_that_takes_long_to_read_is_read_again_the_later()
    {
        Append(4);
        _objects.Before = (_, _) =>
        {
            _reads++;
            _time.Advance(TimeSpan.FromSeconds(1));
        };
        ManifestWatch watch = Watch();
        await watch.LookAsync(asked: false, CancellationToken.None);
        Assert.Equal(4, _reads);
        _time.Advance(TimeSpan.FromSeconds(39));
        await watch.LookAsync(asked: true, CancellationToken.None);
        Assert.Equal(4, _reads);
        _time.Advance(TimeSpan.FromSeconds(1));
        await watch.LookAsync(asked: false, CancellationToken.None);
        Assert.Equal(4, _reads);
        await watch.LookAsync(asked: true, CancellationToken.None);
        Assert.Equal(8, _reads);
        _time.Advance(TimeSpan.FromSeconds(4000));
        await watch.LookAsync(asked: false, CancellationToken.None);
        Assert.Equal(12, _reads);
    }

    private ManifestWatch Watch() => new(_objects, () => _record, _posted.Add, _time, NullLogger.Instance);

    private Task<IReadOnlyList<string>> FindAsync() => ManifestCheck.FindAsync(_objects, _record, CancellationToken.None);

    private void Append(int entries, long upto = 10)
    {
        for (int n = 0; n < entries; n++)
        {
            var entry = new ManifestEntry
            {
                Number = _record.Entries + 1,
                Cause = ArchiveCause.Lost,
                Chain = s_chain,
                From = _record.Upto,
                To = _record.Upto + upto,
                Previous = _record.LastHash,
            };
            byte[] bytes = ManifestFormat.Write(entry);
            _objects.All[ArchiveKeys.Entry(7, entry.Number)] = bytes;
            _record = _record.After(entry, ManifestFormat.Hash(bytes));
        }
    }
}
