using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Tests.Simulation;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Grains.Tests.Archive;

/// <summary>
/// One seed: owners of one chain's archive that die, stall and come back, over stores that fail and go back in time and a log that
/// loses records; then quiet, and what was archived is compared with the log.
/// </summary>
internal sealed class ArchiveRun : IDisposable
{
    private const int MostSteps = 400_000;
    private const int Users = 5;
    private static readonly ArchiveChain s_chain = new("log-1", 0, 7);

    // They ask for what an erasure clears; which of them fits a click has to be known afterwards, too.
    private static readonly InvalidationSpan[] s_invalidations =
    [
        new(1, new InvalidationFilter(0, long.MaxValue, UserId: "user-0"), 1, 2, 11),
        new(2, new InvalidationFilter(0, long.MaxValue, UserId: "user-0", TargetId: "a1"), 3, null, 12),
        new(3, new InvalidationFilter(0, long.MaxValue, Referrer: "site-1"), 4, null, 13),
        new(4, new InvalidationFilter(0, long.MaxValue, Referrer: "site-0", UserId: "user-1"), long.MaxValue, null, 14),
    ];
    private readonly World _world;
    private readonly MemoryLog _log;
    private readonly SimulatedStore _store;
    private readonly SimulatedObjects _objects;
    private readonly ArchiveFaults _faults;
    private readonly DuplicateRule _rule;
    private readonly ArchiveOptions _options;
    private readonly ArchiveInstruments _instruments = new(new ArchiveBoard());
    private readonly RepeatBoard _repeats;
    private readonly List<Owner> _owners = [];
    private readonly List<Action> _copies = [];
    private readonly List<Erasing> _erasures = [];
    private string? _failure;
    private bool _done;
    private bool _lost;

    private ArchiveRun(int seed, ArchiveFaults faults)
    {
        _world = new World(seed);
        _world.FaultsIn = _world.Random.Next(200, 2_000); // an entry of many objects takes many calls
        _world.Pace = 60;
        _faults = faults;
        _log = new MemoryLog(_world.Random);
        _store = new SimulatedStore(_world, faults);
        _objects = new SimulatedObjects(_world, new PlainClickFiles());
        _objects.IsSlow = RestoreNow;
        _objects.Deleted = AskOf;
        _repeats = new RepeatBoard(_world.Random.Next(1, 40), _world.Random.Next(1, 20));
        _rule = new DuplicateRule(TimeSpan.FromMilliseconds(_world.Random.Next(1_000, 90_000)), _world.Random.Next(5, 120));
        _options = new ArchiveOptions
        {
            MaxObjectBytes = _world.Random.Next(200, 6_000),
            MaxAge = TimeSpan.FromMilliseconds(_world.Random.Next(1_000, 30_000)),
            MergeGrace = TimeSpan.FromMilliseconds(_world.Random.Next(0, 600_000)),
            LateAfter = TimeSpan.FromMilliseconds(_world.Random.Next(0, 4 * 3_600_000)),
            MaxInboxObjects = _world.Random.Next(1, 30),
            MaxHours = _world.Random.Next(2, 40),
            TakenAwayAfter = TimeSpan.FromMilliseconds(_world.Random.Next(0, 60_000)),
        };
    }

    /// <summary>Runs a seed; answers what is wrong, or null.</summary>
    public static string? Check(int seed, ArchiveFaults faults, Dictionary<string, int>? fired = null)
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            using var run = new ArchiveRun(seed, faults);
            string? wrong = run.Run();
            foreach ((string fault, int times) in run._world.Fired)
            {
                fired?[fault] = fired.GetValueOrDefault(fault) + times;
            }

            return wrong;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    public void Dispose() => _instruments.Dispose();

    private string? Run()
    {
        int appends = _world.Random.Next(20, 60);
        long at = 0;
        for (int i = 0; i < appends; i++)
        {
            at += _world.Chance(10) ? _world.Random.Next(60_000, 2_400_000) : _world.Random.Next(50, 30_000);
            _world.After(at, Append);
            _world.After(at + _world.Random.Next(0, 20_000), Disturb);
        }

        StartOwner(last: false);
        Count(0, new DuplicateSet(_rule.Horizon, _rule.MaxIds));
        long end = _world.Now + at + 5_000;
        _world.After(end - _world.Now, static () => { });
        if (!_world.RunUntil(() => _world.Now >= end || IsWrong, MostSteps))
        {
            return Failure ?? "the run did not end";
        }

        // Quiet: those who stalled come back, and what was under way lands.
        _world.Faulty = false;
        end = Math.Max(end, _owners.Select(o => o.Actor.StalledUntil).DefaultIfEmpty(0).Max()) + 200_000;
        _world.After(end - _world.Now, static () => { });
        if (!_world.RunUntil(() => _world.Now >= end || IsWrong, MostSteps))
        {
            return Failure ?? "the stalled did not end";
        }

        _owners.ForEach(o => o.Actor.Dead = true);
        _owners.Clear();
        StartOwner(last: true);
        if (!_world.RunUntil(() => _done || IsWrong, MostSteps))
        {
            return Failure ?? "the last owner did not end";
        }

        return Failure ?? Compare();
    }

    private string? Failure => _failure ?? _objects.Wrong;

    private bool IsWrong => Failure is not null;

    private void Append()
    {
        int count = _world.Random.Next(1, 25);
        for (int i = 0; i < count; i++)
        {
            long offset = _log.End + (_world.Chance(10) ? _world.Random.Next(1, 4) : 0);
            long behind = _world.Random.Next(10) switch { 0 => _world.Random.Next(0, 8 * 3_600_000), 1 => -_world.Random.Next(0, 7_200_000), _ => _world.Random.Next(0, 90_000) };
            var entry = new Entry(
                offset, _world.Now - (_world.Chance(5) ? 700 : 0), _world.Chance(2) ? null : $"a{_world.Random.Next(4)}", $"c{offset}",
                _world.Chance(50) ? "k" : "", _world.Now - behind, _world.Chance(1), _world.Chance(70) ? $"user-{_world.Random.Next(Users)}" : "", _world.Chance(50) ? $"site-{_world.Random.Next(3)}" : "");
            if (_log.Entries.Count > 0 && _world.Chance(20))
            {
                Entry other = _log.Entries[_world.Chance(60) ? Math.Max(0, _log.Entries.Count - _world.Random.Next(1, 20)) : _world.Random.Next(_log.Entries.Count)];
                entry = other with { Offset = offset, Appended = entry.Appended };
            }

            _log.Entries.Add(entry);
            _log.End = offset + 1;
        }
    }

    /// <summary>
    /// The counting of the same process: it finds the repeats of batch after batch, and says so to the board. Now and then it begins
    /// anew where it stands, or a while before, as after a crash; or it stands still.
    /// </summary>
    private void Count(int next, DuplicateSet seen) => _world.After(_world.Random.Next(100, 8_000), () =>
    {
        int batch = _world.Chance(20) ? 0 : Math.Min(_log.Entries.Count - next, _world.Random.Next(1, 40));
        if (batch > 0)
        {
            Entry[] entries = [.. _log.Entries.Skip(next).Take(batch)];
            long from = next == 0 ? 0 : _log.Entries[next - 1].Offset + 1;
            long dedupFrom = Math.Min(seen.Oldest ?? from, from);
            long[] repeats = [.. entries.Where(entry => Repeats(seen, entry)).Select(entry => entry.Offset)];
            _repeats.Note(
                s_chain.Number, new CountingRules(RollupSet.Default, _rule.Horizon, _world.Chance(95) ? _rule.MaxIds : _rule.MaxIds + 1),
                new CountedRepeats(from, entries[^1].Offset + 1, dedupFrom, repeats));
            next += batch;
        }

        if (_world.Chance(10))
        {
            next = Math.Max(0, next - _world.Random.Next(0, 30));
            seen = new DuplicateSet(_rule.Horizon, _rule.MaxIds);
            _log.Entries.Take(next).ToList().ForEach(entry => Repeats(seen, entry));

            _world.Fire("counting began anew");
        }

        if (!_done)
        {
            Count(next, seen);
        }
    });

    private static bool Repeats(DuplicateSet seen, Entry entry) => entry is { Ad: { } ad, Damaged: false }
        && seen.Add(ClickHash.Compute(TargetKind.Ad, Encoding.UTF8.GetBytes(ad), Encoding.UTF8.GetBytes(entry.Id)), entry.Appended, entry.Offset);

    private void Disturb()
    {
        if (_owners.Count == 0)
        {
            StartOwner(last: false);
        }

        switch (_world.Random.Next(28))
        {
            case 0 or 1 when _owners.Count > 0:
                Owner dying = _owners[_world.Random.Next(_owners.Count)];
                dying.Actor.Dead = true;
                _owners.Remove(dying);
                _world.Fire("owner crash");
                break;
            case 2 or 3 when _owners.Count > 0:
                _owners[_world.Random.Next(_owners.Count)].Actor.StalledUntil = _world.Now + _world.Random.Next(10, 40_000);
                _world.Fire("owner stalls");
                break;
            case 4 or 5 when _owners.Count < 3:
                _world.Fire("second owner");
                StartOwner(last: false);
                break;
            case 6:
                _copies.Add(_store.Copy());
                break;
            case 7 when _copies.Count > 0:
                _copies[_world.Random.Next(_copies.Count)]();
                _world.Fire("store restored");
                break;
            case 8 when _world.Chance(50):
                _log.Start = Math.Max(_log.Start, _log.End - _world.Random.Next(0, 60));
                _lost = true;
                _world.Fire("log lost");
                break;
            case 9 or 10 when _store.Record is { } record && _copies.Count == 0:
                // What the archive does not need, the log may let go of.
                _log.Start = Math.Max(_log.Start, Math.Min(record.DedupFrom, record.Upto));
                _world.Fire("log trimmed");
                break;
            case >= 24 when _log.End > 0:
                _erasures.Add(new Erasing(new ErasureOrder(_erasures.Count + 1, _world.Now, $"user-{_world.Random.Next(Users)}", _log.End, false, s_invalidations)));
                break;
            case >= 11 and <= 16 when _owners.Count > 0:
                Ask(_owners[_world.Random.Next(_owners.Count)], null);
                break;
        }
    }

    /// <summary>The worst moment for a store to go back: an owner has its intent stored, and its entry is on its way.</summary>
    private bool RestoreNow()
    {
        if (!_world.Faulty || _copies.Count == 0 || !_world.Chance(4))
        {
            return false;
        }

        _copies[_world.Random.Next(_copies.Count)]();
        _world.Fire("store restored while an entry was on its way");
        StartOwner(last: false);
        return true;
    }

    private void StartOwner(bool last)
    {
        var owner = new Owner(_world.NewActor(), _world.Chance(85) ? (byte)1 : (byte)2);
        _owners.Add(owner);
        owner.Actor.Start(() => OwnAsync(owner, last));
    }

    private async Task OwnAsync(Owner owner, bool last)
    {
        var stores = new ArchiveStores(_store.Open(), _store.OpenDays(), _objects);
        using var gate = new ArchiveGate(1);
        ChainArchive? archive = null;
        while (true)
        {
            ChainArchive? before = archive;
            archive = new ChainArchive(
                s_chain, _options, _rule, _log, static (range, _) => new(range.End), stores, new PlainClickFiles(owner.Version), gate, _world,
                NullLogger.Instance, _instruments, aside: false, _faults)
            {
                Repeats = _repeats,
            };
            try
            {
                await archive.StartAsync(CancellationToken.None, before);
                owner.Archive = archive;
                await GoOnAsync(archive, last);
                return;
            }
            catch (ChainFencedException)
            {
                _owners.Remove(owner);
                if (last)
                {
                    _failure = "the last owner was fenced";
                }

                return;
            }
            catch (Exception error) when (error is TimeoutException or ArchiveUnavailableException or Streaming.OffsetOutOfRangeException)
            {
                _world.Fire("archive starts over");
            }
#pragma warning disable CA1031 // nothing else may happen, and what does is the run's result
            catch (Exception error)
#pragma warning restore CA1031
            {
                _failure ??= error.ToString();
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), _world, CancellationToken.None);
        }
    }

    private async Task GoOnAsync(ChainArchive archive, bool last)
    {
        while (true)
        {
            bool did = await archive.StepAsync(CancellationToken.None);
            did |= await EraseAsync(archive);
            if (archive.Damaged.Count > 0)
            {
                _failure ??= $"found damaged: {string.Join(", ", archive.Damaged)}";
            }

            if (last && !did && archive.Record.Upto == _log.End && archive.Record.Gone.Count == 0 && _erasures.TrueForAll(one => one.IsDone))
            {
                _done = true;
                return;
            }

            if (!did)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(_world.Random.Next(100, 3_000)), _world, CancellationToken.None);
            }
        }
    }

    /// <summary>One object of an erasure; whoever takes it up goes on where it is.</summary>
    private async Task<bool> EraseAsync(ChainArchive archive)
    {
        if (_erasures.Find(one => !one.IsDone) is not { } erasing || _world.Chance(30))
        {
            return false;
        }

        string at = erasing.After;
        ErasedStretch one = await archive.EraseNextAsync(erasing.Order, at, CancellationToken.None);
        if (one.Damaged.Count > 0)
        {
            _failure ??= one.Damaged[0];
        }

        if (erasing.After == at || one.Next is null)
        {
            erasing.After = one.Next ?? at;
            erasing.IsDone = one.Next is null;
        }

        _world.Fire(one.Found.Count > 0 ? (one.Found[0].Key.StartsWith("clicks/", StringComparison.Ordinal) ? "erased in the table" : "erased in the inbox") : one.Waits is not null ? "erasure waits" : "nothing to erase");
        return one.Waits is null;
    }

    /// <summary>Whether the personal fields of a click have to be gone.</summary>
    private bool IsErased(Entry entry) => _erasures.Exists(one => one.Order.UserId == entry.User && entry.Offset < one.Order.Upto);

    private string? CompareErased()
    {
        var entries = _log.Entries.ToDictionary(entry => entry.Offset);
        foreach ((string key, byte[] content) in _objects.Now.All)
        {
            if (key.StartsWith("manifest/", StringComparison.Ordinal))
            {
                if (Encoding.UTF8.GetString(content).Contains("user-", StringComparison.Ordinal))
                {
                    return $"{key} names a user";
                }

                continue;
            }

            var rows = new ClickRows();
            foreach (int count in new PlainClickFiles().Read(content, rows, ClickColumns.All))
            {
                for (int row = 0; row < count; row++)
                {
                    Entry entry = entries[rows.Offsets[row]];
                    bool erased = IsErased(entry);
                    string marks = !erased ? "" : string.Join(',', s_invalidations.Where(one => Fits(one.Filter, entry)).Select(one => one.Mark));
                    (string, string, string, string, string, string) expected = (erased ? "" : entry.User, erased ? "" : entry.Referrer, marks, entry.Ad!, entry.Id, entry.Campaign);
                    (string, string, string, string, string, string) found = (
                        rows.UserIds.Text(row) ?? "", rows.Referrers.Text(row) ?? "", rows.InvalidatedBy.Text(row) ?? "",
                        rows.TargetIds.Text(row) ?? "", rows.ClickIds.Text(row) ?? "", rows.CampaignIds.Text(row) ?? "");
                    if (found != expected || rows.Timestamps[row] != entry.Time || rows.BrokerTimes[row] != entry.Appended)
                    {
                        return $"the click at offset {entry.Offset} is {found} in {key}, and should be {expected}";
                    }
                }
            }
        }

        return null;
    }

    private static bool Fits(InvalidationFilter filter, Entry entry) =>
        (filter.UserId ?? entry.User) == entry.User && (filter.Referrer ?? entry.Referrer) == entry.Referrer && (filter.TargetId ?? entry.Ad) == entry.Ad;

    /// <summary>Asks an owner for an hour, and reads what it names at once: it is all of the hour's clicks, or something is gone by now.</summary>
    private void Ask(Owner owner, int? of)
    {
        if (owner.Archive is not { } archive || _log.Entries.Count == 0)
        {
            return;
        }

        int hour = of ?? (int)(_log.Entries[_world.Random.Next(_log.Entries.Count)].Time / 3_600_000);
        owner.Actor.Start(async () =>
        {
            ArchivedHour? before = null;
            while (true)
            {
                ArchivedHour answer;
                try
                {
                    answer = await ArchivedHours.FindAsync(() => archive.Record, _store.OpenDays(), hour, _faults, CancellationToken.None);
                }
                catch (TimeoutException)
                {
                    return;
                }

                // A store that was put back to an older copy: whoever knows the newer record is told of the older index.
                if (answer.Upto != archive.Record.Upto || _world.Fired.Keys.Any(fault => fault.StartsWith("store restored", StringComparison.Ordinal)))
                {
                    return;
                }

                _world.Fire(answer.Objects.Any(one => one.Key.StartsWith("clicks/", StringComparison.Ordinal)) ? "asked, and some moved" : "asked");
                string[] other = [.. answer.Objects.Where(one => !_objects.Now.All.TryGetValue(one.Key, out byte[]? content) || !one.IsBytes(ManifestFormat.Hash(content))).Select(one => one.Key)];
                if (other.Length == 0)
                {
                    _failure ??= CompareHour(hour, answer, archive.Record.Lost);
                    return;
                }

                // Somebody moved or rewrote them meanwhile: who reads them asks again, and finds damage where nothing else is said.
                if (archive.Record.Epoch != _store.Record?.Epoch)
                {
                    return;
                }

                if (before?.Objects.SequenceEqual(answer.Objects) == true)
                {
                    _failure ??= $"{other[0]} is not what is said of it, also when asked again";
                    return;
                }

                before = answer;
            }
        });
    }

    /// <summary>The worst moment to ask for an hour: an object that held clicks of it was just deleted.</summary>
    private void AskOf(string key)
    {
        if (_owners.Find(one => one.Archive?.Record.Epoch == _store.Record?.Epoch) is { } owner
            && ArchiveKeys.TryOffsets(key, out long first, out _) && _log.Entries.Find(entry => entry.Offset == first) is { } entry)
        {
            Ask(owner, (int)(entry.Time / 3_600_000));
        }
    }

    private string? CompareHour(int hour, ArchivedHour answer, IReadOnlyList<LostRange> lost)
    {
        var found = new List<long>();
        foreach (ArchivedObject one in answer.Objects)
        {
            byte[] content = _objects.Now.All[one.Key];
            if (!one.IsBytes(ManifestFormat.Hash(content)))
            {
                return $"{one.Key} is not what is said of it";
            }

            long[] offsets = [.. Rows(content).Where(row => row.Time / 3_600_000 == hour).Select(row => row.Offset)];
            if (offsets.Length != one.HourRows)
            {
                return $"{one.Key} has {offsets.Length} clicks of hour {hour}, and {one.HourRows} are said";
            }

            found.AddRange(offsets);
        }

        long[] expected = [.. Clicks().Where(one => one.Offset < answer.Upto && one.Time / 3_600_000 == hour && !IsIn(lost, one.Offset)).Select(one => one.Offset)];
        return found.Order().SequenceEqual(expected)
            ? null
            : $"hour {hour} below {answer.Upto} has the offsets {string.Join(' ', found.Order())}, and {string.Join(' ', expected)} are right";
    }

    private string? Compare()
    {
        var clicks = new Dictionary<long, (long Offset, long Time, bool Duplicate)>();
        var walk = new ArchiveVerification(_objects.Now, new PlainClickFiles());
        ArchiveReport report = walk.WalkAsync(s_chain, CancellationToken.None, (one, hours, content) =>
        {
            foreach ((long Offset, long Time, bool Duplicate) row in Rows(content).Where(row => hours.Contains((int)(row.Time / 3_600_000))))
            {
                if (!clicks.TryAdd(row.Offset, row))
                {
                    _failure ??= $"the click at offset {row.Offset} is twice";
                }
            }
        }).GetAwaiter().GetResult();
        if (_failure is not null || report.Faults.Count + report.Open.Count > 0)
        {
            return _failure ?? report.Faults.Concat(report.Open.Select(key => $"{key} is not there")).First();
        }

        foreach ((string key, byte[] entry) in _objects.Now.All.Where(one => one.Key.StartsWith("manifest/", StringComparison.Ordinal)))
        {
            ManifestEntry read = ManifestFormat.Read(entry, key);
            _world.Fire($"entry {read.Cause}");
            if (read.Replaces is not null)
            {
                _world.Fire($"replaced by {read.Cause}");
            }
        }

        if (CompareErased() is { } notErased)
        {
            return notErased;
        }

        if (report.Upto != _log.End)
        {
            return $"archived up to {report.Upto} of {_log.End}";
        }

        foreach (Entry entry in Clicks())
        {
            if (clicks.ContainsKey(entry.Offset) == IsIn(report.Lost, entry.Offset))
            {
                return $"the click at offset {entry.Offset} is {(clicks.ContainsKey(entry.Offset) ? "archived and lost" : "not archived")}";
            }
        }

        if (clicks.Count > Clicks().Count())
        {
            return "clicks were archived that nobody made";
        }

        if (report.Lost.Count > 0 != _lost && !_lost)
        {
            return $"[{report.Lost[0].From}, {report.Lost[0].To}) is said to be lost, and the log had it";
        }

        foreach (int hour in Clicks().Select(one => (int)(one.Time / 3_600_000)).Distinct())
        {
            Task<ArchivedHour> asked = ArchivedHours.FindAsync(() => _store.Record!, new NowDays(_store), hour, ArchiveFaults.None, CancellationToken.None);
            if (CompareHour(hour, asked.GetAwaiter().GetResult(), report.Lost) is { } wrong)
            {
                return wrong;
            }
        }

        return _lost ? null : CompareDuplicates(clicks);
    }

    /// <summary>The rule of duplicates once more, as plainly as can be.</summary>
    private string? CompareDuplicates(Dictionary<long, (long Offset, long Time, bool Duplicate)> clicks)
    {
        var seen = new List<(string Key, long Time)>();
        long time = 0;
        foreach (Entry entry in Clicks())
        {
            time = Math.Max(time, entry.Appended);
            string key = $"{entry.Ad} {entry.Id}";
            int last = seen.FindLastIndex(one => one.Key == key);
            bool repeats = last >= 0 && seen.Count - last <= _rule.MaxIds && time - seen[last].Time <= _rule.Horizon.TotalMilliseconds;
            if (clicks[entry.Offset].Duplicate != repeats)
            {
                return $"the click at offset {entry.Offset} is {(repeats ? "" : "no ")}duplicate, and the archive says otherwise";
            }

            seen.Add((key, time));
        }

        return null;
    }

    private IEnumerable<Entry> Clicks() => _log.Entries.Where(entry => entry.Ad is not null && !entry.Damaged);

    private static bool IsIn(IReadOnlyList<LostRange> ranges, long offset) => ranges.Any(range => offset >= range.From && offset < range.To);

    private static List<(long Offset, long Time, bool Duplicate)> Rows(ReadOnlyMemory<byte> content)
    {
        var rows = new ClickRows();
        var all = new List<(long, long, bool)>();
        foreach (int count in new PlainClickFiles().Read(content, rows, ClickColumns.All))
        {
            for (int row = 0; row < count; row++)
            {
                all.Add((rows.Offsets[row], rows.Timestamps[row], rows.Duplicates[row]));
            }
        }

        return all;
    }

    private sealed record Erasing(ErasureOrder Order)
    {
        public string After { get; set; } = "";

        public bool IsDone { get; set; }
    }

    private sealed record Owner(Actor Actor, byte Version)
    {
        public ChainArchive? Archive { get; set; }
    }

    /// <summary>The index as it is, at once.</summary>
    private sealed class NowDays(SimulatedStore store) : IArchiveDays
    {
        public Task ApplyAsync(int chain, int day, DayChange change, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<DayIndex> ReadAsync(int chain, int day, CancellationToken cancellationToken) =>
            Task.FromResult(store.Days.GetValueOrDefault(day) ?? new DayIndex());
    }
}
