using System.Globalization;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Query;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>
/// One seed: a partition counts, late clicks and repeats and all, while somebody changes the store, and hours are recounted by units
/// that die on the way. In some seeds a rollup is switched on later, and off and on. Every promise that was made is kept in mind,
/// and looked up in the end.
/// </summary>
internal sealed class ReconcileRun : IDisposable
{
    private const int Chain = 1;
    private const int MostSteps = 600_000;
    private const int Hours = 3;
    private const int MostTries = 5;
    private const int Finalisations = 3;
    private static readonly RollupSet s_rollups = RollupSet.Default;

    // Of each hour and version, the switches of the rollup at which it was called whole there.
    private readonly Dictionary<(int Hour, long Version), long> _wholeAt = [];
    private readonly HashSet<(long Run, int Hour)> _notWhole = [];
    private readonly RollupHistoryGrain _history;

    // What is switched on later; null for nothing.
    private readonly Rollup? _later;

    // Nobody changes the store, and no click comes twice: then what is counted is right at any moment.
    private readonly bool _calm;

    // Nobody changes the store: then what a version is answered with is right at any moment.
    private readonly bool _unharmed;
    private readonly World _world;
    private readonly MemoryLog _log;
    private readonly MemoryRecords _records;
    private readonly MemoryRules _rulesStore;
    private readonly MemoryWindows _windows;
    private readonly MemoryLedger _ledger;
    private readonly Activations _activations;
    private readonly CountingInstruments _instruments = new();
    private readonly CountingRules _rules = new(s_rollups, TimeSpan.FromMinutes(2), 40);
    private readonly CountingRules _rulesBefore;
    private readonly List<InvalidationSpan> _invalidations = [];
    private readonly Dictionary<(int Hour, long Version), SortedDictionary<string, long[]>> _promised = [];
    private readonly List<Actor> _units = [];
    private readonly List<ErasureOrder> _erasures = [];
    private readonly int _firstHour;
    private readonly Counted _counted;
    private readonly MemoryReplay _replay = new();
    private PartitionChain? _chain;
    private Actor? _owner;
    private string? _failure;
    private string? _last;
    private long _events;
    private long _version;
    private readonly List<long> _unsettled = [];
    private long _archived;
    private long _run;
    private bool _quiet;
    private bool _isOn = true;

    private ReconcileRun(int seed)
    {
        _world = new World(seed);
        _firstHour = (int)(_world.Now / 3_600_000) - 5;
        _log = new MemoryLog(_world.Random);
        _records = new MemoryRecords(_world, ChainFaults.None);
        _rulesStore = new MemoryRules(_world);
        _windows = new MemoryWindows(_world, ChainFaults.None);
        _ledger = new MemoryLedger(_world, _windows, Chain) { Written = CheckWritten };
        _activations = new Activations(_world, _windows, ChainFaults.None);
        _counted = new Counted(this);
        _replay.Appending = SendAsync;
        _history = new RollupHistoryGrain(new MemoryState<RollupHistory>(), _world);
        if (_world.Chance(50))
        {
            _later = s_rollups[_world.Random.Next(s_rollups.Count)];
            _calm = _world.Chance(50);
            _isOn = _world.Chance(20);
        }

        _unharmed = _calm || _world.Chance(30);
        _rulesBefore = new CountingRules(new RollupSet(s_rollups.Where(rollup => rollup != _later)), TimeSpan.FromMinutes(2), 40);
    }

    /// <summary>What silos that start now count by.</summary>
    private CountingRules Rules => _isOn ? _rules : _rulesBefore;


    /// <summary>Runs a seed; answers what is wrong, or null.</summary>
    public static string? Check(int seed, Dictionary<string, int> fired)
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            using var run = new ReconcileRun(seed);
            string? wrong = run.Run();
            foreach ((string fault, int times) in run._world.Fired)
            {
                fired[fault] = fired.GetValueOrDefault(fault) + times;
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
        int rounds = _calm ? _world.Random.Next(6, 14) : _world.Random.Next(2, 6);
        long at = 0;
        for (int i = 0; i < rounds; i++)
        {
            at += _world.Random.Next(500, 120_000);
            _world.After(at, Append);
            _world.After(at + _world.Random.Next(0, 20_000), Disturb);
            _world.After(at + _world.Random.Next(0, 30_000), () => StartUnit(_firstHour + _world.Random.Next(Hours)));
            _world.After(at + _world.Random.Next(0, 40_000), AskVersion);
        }

        StartOwner();
        if (!Until(at + 100_000))
        {
            return _failure ?? "the run did not end";
        }

        // Quiet: what was under way lands, and then every hour is recounted to its end.
        _quiet = true;
        _world.Faulty = false;
        if (!Until(250_000))
        {
            return _failure ?? "what was under way did not end";
        }

        _units.ForEach(unit => unit.Dead = true);
        if (CompareWhole() is { } notWhole)
        {
            return notWhole;
        }

        if (!_isOn)
        {
            Switch();
        }

        for (int n = 0; n < Finalisations * Hours; n++)
        {
            int hour = _firstHour + (n % Hours);
            bool done = false;
            if (n >= Hours && n % Hours == 0)
            {
                // Late clicks, damage, and clicks that are taken back: what was final becomes so again, as something else.
                if (!_unharmed || _world.Chance(60))
                {
                    Append();
                }

                for (int asked = 0; _unharmed && asked < 40; asked++)
                {
                    _world.After(_world.Random.Next(0, 60_000), AskVersion);
                    _world.After(_world.Random.Next(20_000, 60_000), asked % 10 == 0 && n == Hours ? Append : AskVersion);
                }

                if (!_calm)
                {
                    Damage();
                    Damage();
                    Invalidate();
                }

                if (_world.Chance(60))
                {
                    Erase();
                }

                if (!Until(_unharmed && n > Hours ? 80_000 : 20_000))
                {
                    return _failure ?? "late clicks were not counted";
                }

                if (!_calm)
                {
                    Damage(); // while nothing is counted
                }
            }

            _archived = _log.End;
            StartUnit(hour, () => done = true);
            if (!_world.RunUntil(() => done || _failure is not null, MostSteps) || _failure is not null)
            {
                return _failure ?? $"the recount of {hour} did not end: {_last}; {string.Join(", ", _world.Fired.Select(pair => $"{pair.Key} {pair.Value}"))}; {Lists()}";
            }
        }

        return Compare();
    }

    private bool Until(long milliseconds)
    {
        long end = _world.Now + milliseconds;
        _world.After(milliseconds, static () => { });
        return _world.RunUntil(() => _world.Now >= end || _failure is not null, MostSteps) && _failure is null;
    }

    private void Append()
    {
        for (int i = _world.Random.Next(1, 25); i > 0; i--)
        {
            long offset = _log.End + (_world.Chance(10) ? _world.Random.Next(1, 4) : 0);
            int hour = _firstHour + _world.Random.Next(Hours);
            var entry = new Entry(
                offset, _world.Now, $"a{_world.Random.Next(4)}", $"c{offset}", _world.Chance(50) ? $"k{_world.Random.Next(2)}" : "",
                (hour * 3_600_000L) + _world.Random.Next(3_600_000), false, _world.Chance(70) ? $"u{_world.Random.Next(3)}" : "", _world.Chance(50) ? $"s{_world.Random.Next(2)}" : "");
            if (_log.Entries.Count > 0 && !_calm && _world.Chance(25))
            {
                Entry other = _log.Entries[_world.Random.Next(_log.Entries.Count)];
                entry = entry with { Ad = other.Ad, Id = other.Id, Time = _world.Chance(70) ? other.Time : entry.Time };
            }

            _log.Entries.Add(entry);
            _log.End = offset + 1;
        }

        _world.After(_world.Random.Next(500, 12_000), () => _archived = _log.End - (_world.Chance(20) ? _world.Random.Next(0, 10) : 0));
    }

    private void Disturb()
    {
        switch (_world.Random.Next(10))
        {
            case 0 when _owner is not null:
                _owner.Dead = true;
                _world.Fire("owner crash");
                StartOwner();
                break;
            case 1:
                _activations.CrashOne();
                break;
            case 2 when !_calm:
                Invalidate();
                break;
            case 3:
                Erase();
                break;
            case 4 or 5 or 6 when _later is not null:
                Switch();
                break;
            default:
                if (_calm)
                {
                    StartUnit(_firstHour + _world.Random.Next(Hours));
                }
                else
                {
                    Damage();
                }

                break;
        }
    }

    /// <summary>Everything is started anew, with the rollup or without it.</summary>
    private void Switch()
    {
        _isOn = !_isOn;
        _owner!.Dead = true;
        _world.Fire(_isOn ? "rollup on" : "rollup off");
        StartOwner();
    }

    private void Invalidate()
    {
        if (_invalidations.Count > 0 && _invalidations[^1].To is null && _world.Chance(50))
        {
            _invalidations[^1] = _invalidations[^1] with { To = ++_events };
            _world.Fire("revoked");
        }
        else
        {
            InvalidationFilter filter = _world.Random.Next(4) switch
            {
                0 => new InvalidationFilter(0, long.MaxValue, CampaignId: $"k{_world.Random.Next(2)}"),
                1 => new InvalidationFilter(0, long.MaxValue, Referrer: $"s{_world.Random.Next(2)}", CampaignId: _world.Chance(50) ? "k0" : null),
                _ => new InvalidationFilter(0, long.MaxValue, UserId: $"u{_world.Random.Next(3)}", Referrer: _world.Chance(30) ? "s1" : null),
            };
            _invalidations.Add(new InvalidationSpan(_invalidations.Count + 1, filter, ++_events, At: _world.Now));
            _world.Fire(filter.UserId is null ? "invalidated" : "user invalidated");
        }
    }

    /// <summary>A user's clicks lose their personal fields: in the archive, and nothing that counts may change by it.</summary>
    private void Erase()
    {
        _erasures.Add(new ErasureOrder(_erasures.Count + 1, _world.Now, $"u{_world.Random.Next(3)}", _log.End, false, [.. _invalidations]));
        _world.Fire("erased");
    }

    private void Damage()
    {
        if (_windows.Rows.Count == 0 || _unharmed)
        {
            return;
        }

        (WindowKey key, WindowRow row) = _windows.Rows.ElementAt(_world.Random.Next(_windows.Rows.Count));
        long ahead = (_world.Now + _world.Random.Next(1, 3_600_000)) * 1000;
        switch (_world.Random.Next(17))
        {
            case 0:
                _windows.Rows.Remove(key);
                _world.Fire("row deleted");
                break;
            case 1:
                row.Quarters[1] += 7;
                _world.Fire("row changed");
                break;
            case 2:
                row.Quarters = [.. row.Quarters.Select(count => count * 2)];
                row.Minutes = row.Minutes?.Select(count => count * 2).ToArray();
                _world.Fire("row doubled");
                break;
            case 3:
                _windows.Rows[key with { Series = "ad:phantom" }] = new WindowRow { Quarters = [0, 3, 0, 0], Upto = _log.End / 2, Stamp = _world.Now * 1000 };
                _world.Fire("row invented");
                break;
            case 4 when _windows.Days.Count > 0:
                _windows.Days.ElementAt(_world.Random.Next(_windows.Days.Count)).Value[_world.Random.Next(96)] += 3;
                _world.Fire("day changed");
                break;
            case 5 when _windows.Days.Count > 0:
                _windows.Days.Remove(_windows.Days.ElementAt(_world.Random.Next(_windows.Days.Count)).Key);
                _world.Fire("day deleted");
                break;
            case 6 when _windows.Tops.Count > 0:
                _windows.Tops.Remove(_windows.Tops.ElementAt(_world.Random.Next(_windows.Tops.Count)).Key);
                _world.Fire("top list deleted");
                break;
            case 7 when _windows.Tops.Count > 0:
                (TopKey top, TopList list) = _windows.Tops.ElementAt(_world.Random.Next(_windows.Tops.Count));
                _windows.Tops[top] = list with { Entries = [new TopEntry("phantom", 99), .. list.Entries.Skip(1).Select(entry => entry with { Clicks = entry.Clicks + 1 })] };
                _world.Fire("top list changed");
                break;
            case 8:
                row.Upto = _log.End + 1_000_000;
                _world.Fire("upto changed");
                break;
            case 9 when _windows.Days.TryGetValue((key.Series, key.Hour / 24), out long[]? ofDay):
                ofDay[key.Hour % 24 * 4] += 5;
                _windows.DaysAhead[key] = ahead;
                _world.Fire("day changed by a clock ahead");
                break;
            case 10 when _windows.Tops.Count > 0:
                (TopKey other, TopList lowered) = _windows.Tops.ElementAt(_world.Random.Next(_windows.Tops.Count));
                _windows.PutAhead(other, _world.Chance(50) ? null : lowered with { Entries = [.. lowered.Entries.Skip(1)] }, ahead);
                _world.Fire("top list changed by a clock ahead");
                break;
            case 11 when key.Series != "ad:phantom": // a row that no index names and nobody clicked is found by verify only
                _windows.Unlisted.Add((key.Series, key.Hour / 24));
                _world.Fire("name deleted");
                break;
            case 12:
                _ledger.Marks.Remove((key.Hour, key.Chain));
                _world.Fire("mark of an hour deleted");
                break;
            case 13 when _windows.Tops.Count > 0:
                (TopKey raised, TopList full) = _windows.Tops.ElementAt(_world.Random.Next(_windows.Tops.Count));
                _windows.Tops[raised] = full with { Floor = 5000 };
                _world.Fire("floor raised");
                break;
            case 14:
                row.Upto = _world.Random.NextInt64(row.Upto + 1);
                _world.Fire("upto lowered");
                break;
            case 15 when _ledger.Marks.TryGetValue((key.Hour, key.Chain), out long noted):
                _ledger.Marks[(key.Hour, key.Chain)] = _world.Random.NextInt64(noted + 1);
                _world.Fire("mark of an hour lowered");
                break;
            case 16:
                _ledger.Marks.Remove((key.Hour, key.Chain));
                _ledger.MarksAhead[key.Hour] = ahead;
                _world.Fire("mark of an hour deleted by a clock ahead");
                break;
            default:
                break;
        }
    }

    private void StartOwner()
    {
        Actor owner = _owner = _world.NewActor();
        _chain = null;
        _counted.WakeAnew();
        CountingRules by = Rules;
        _history.NoteAsync(0, "log", [.. by.Rollups.Select(rollup => rollup.ToString())]).GetAwaiter().GetResult();
        owner.Start(async () =>
        {
            IChainRecordStore store = _records.Open();
            while (true)
            {
                var chain = new PartitionChain(
                    0, new ChainOptions { MaxRecords = 30 }, _log, store, _rulesStore, _activations, new NotingFirst(this), _ => Task.FromResult(Chain),
                    (rules, number) => new ClickFolder(rules, number, new DuplicateSet(rules.Horizon, rules.MaxIds), maxSlots: 12),
                    by, _world, NullLogger.Instance, static _ => { }, _instruments);
                try
                {
                    await chain.StartAsync(CancellationToken.None);
                    _chain = chain;
                    await CountAsync(chain);
                }
                catch (ChainFencedException) when (_owner != owner)
                {
                    return;
                }
                catch (ChainFencedException)
                {
                    // By a write of its own that landed late: the grain wakes up anew.
                    _counted.WakeAnew();
                }
                catch (Exception error) when (error is TimeoutException || (error is InvalidOperationException && error.Message.Contains("does not count now", StringComparison.Ordinal)))
                {
                    chain.Abandon(PartitionState.Starting, null);
                    _counted.WakeAnew();
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
        });
    }

    private async Task CountAsync(PartitionChain chain)
    {
        while (true)
        {
            bool atEnd = !chain.HasWork && await chain.ReadToEndAsync(CancellationToken.None);
            if (chain.HasWork)
            {
                // As the chain does it: hours that are over long are noted before the windows.
                await _ledger.NoteAsync([.. Enumerable.Range(_firstHour, Hours)], _log.End);
                await chain.CommitAsync(CancellationToken.None);
            }
            else if (atEnd)
            {
                await chain.CompleteAsync(CancellationToken.None);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(_world.Random.Next(10, 3_000)), _world, CancellationToken.None);
        }
    }

    private void StartUnit(int hour, Action? done = null)
    {
        Actor actor = _world.NewActor();
        _units.Add(actor);
        long run = ++_run;
        if (!_quiet && _world.Chance(40))
        {
            _world.After(_world.Random.Next(10, 4_000), () =>
            {
                if (!actor.Dead)
                {
                    actor.Dead = true;
                    _world.Fire("unit died");

                    // Whoever takes the run over does its units again.
                    _world.After(_world.Random.Next(0, 40_000), () => StartUnit(hour));
                }
            });
        }

        int attempt = 0;
        actor.Start(async () =>
        {
            while (_quiet || attempt < (_calm ? 8 * MostTries : MostTries))
            {
                try
                {
                    if (await RecountAsync(hour, run, ++attempt))
                    {
                        done?.Invoke();
                        actor.Dead = true;
                        return;
                    }
                }
                catch (TimeoutException error)
                {
                    _world.Fire(_quiet ? "quiet: " + error.Message + error.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("Reconciling.Recount", StringComparison.Ordinal)) : "unit fails");
                }
                catch (ArgumentException)
                {
                    _world.Fire("unit ahead of the chain");
                }
                catch (InvalidOperationException error) when (error.Message.Contains("does not count now", StringComparison.Ordinal))
                {
                    _world.Fire("chain over");
                }
#pragma warning disable CA1031 // nothing else may happen, and what does is the run's result
                catch (Exception error) when (error is not ChainFencedException)
#pragma warning restore CA1031
                {
                    _failure ??= error.ToString();
                    return;
                }
                catch (ChainFencedException)
                {
                    _world.Fire("fenced under a unit");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(_world.Random.Next(100, 3_000)), _world, CancellationToken.None);
                if (_quiet)
                {
                    _archived = _log.End;
                }
            }
        });
    }

    /// <summary>
    /// Somebody asks for an hour as it stood at a version, also while late clicks of it are counted, and a run is under way over it. Where
    /// nobody has changed the store the answer is what was promised, or that it cannot be told now.
    /// </summary>
    private void AskVersion()
    {
        ((int Hour, long Version), SortedDictionary<string, long[]>)[] told = [.. from each in _promised where IsTold(each.Key) select (each.Key, each.Value)];
        if (told.Length == 0 || !_unharmed)
        {
            return;
        }

        ((int hour, long version), SortedDictionary<string, long[]> promised) = told[_world.Random.Next(told.Length)];
        long[] bounds = _world.Random.Next(3) switch
        {
            0 => [.. Enumerable.Range(hour * 60, 61)],
            1 => [.. Enumerable.Range(hour * 4, 5).Select(quarter => quarter * 15)],
            _ => [.. Enumerable.Range(hour / 24 * 96, 97).Select(quarter => quarter * 15)],
        };
        Actor actor = _world.NewActor();
        actor.Start(async () =>
        {
            var finality = new AnswerFinality(
                _ledger, new LedgerBoard(), () => Task.FromResult(new LedgerPosition(_firstHour + Hours + 48, _version) { Unsettled = [.. _unsettled] }), _world);
            bool isOpen = _ledger.Open.ContainsKey((hour, Chain));
            string[] series = [.. promised.Keys.Append("ad:phantom").Append("total").Where(one => !IsLater(one)).Distinct()];
            try
            {
                (IReadOnlyDictionary<string, SeriesCounts> counts, _) = await new VersionedCounts(_ledger, _ledger, finality).CountAsync(series, bounds, version, CancellationToken.None);
                _world.Fire(isOpen ? "version of an open hour" : "version of a final hour");
                foreach (string one in series)
                {
                    long[] minutes = promised.GetValueOrDefault(one) ?? new long[60];
                    int step = (int)(bounds[1] - bounds[0]);
                    long[] expected = [.. minutes.Chunk(step).Select(some => some.Sum())];
                    long[] answered = counts[one].Points[(int)(((hour * 60) - bounds[0]) / step)..(int)((((hour + 1) * 60) - bounds[0]) / step)];
                    if (!answered.SequenceEqual(expected))
                    {
                        _failure ??= $"{one}@{hour} was answered at version {version} as {Text(answered)}, and was promised as {Text(expected)}; {_ledger.Finals[(hour, Chain)]}, open {_ledger.Open.GetValueOrDefault((hour, Chain))}";
                    }
                }
            }
            catch (NotFinalException)
            {
                _world.Fire(isOpen ? "version of an open hour not told" : "version not told");
            }
            catch (Exception error) when (error is TimeoutException or StoreUnavailableException)
            {
            }
#pragma warning disable CA1031 // nothing else may happen, and what does is the run's result
            catch (Exception error)
#pragma warning restore CA1031
            {
                _failure ??= error.ToString();
            }
        });
    }

    private bool IsTold((int Hour, long Version) promise) =>
        _ledger.Finals.TryGetValue((promise.Hour, Chain), out HourFinal? final) && final.Versions.Contains(promise.Version);

    private async Task<bool> RecountAsync(int hour, long run, int attempt)
    {
        MemoryArchive archive = Archive();
        bool dry = !_quiet && _world.Chance(10);
        long events = _events;
        IReadOnlyDictionary<string, RollupStart> starts = await _history.GetStartsAsync();
        RollupStart? start = _later is null ? null : starts.GetValueOrDefault(_later.ToString());
        bool rebuilds = _isOn && start is { Lacking: null } && (_quiet || _world.Chance(60));
        bool whole = start?.Covers(hour, hour + 1) == true;
        RunMode mode = _world.Chance(50) ? RunMode.Republish : RunMode.Direct;
        var request = new RecountRequest(
            dry ? ++_run : run, hour, Chain, dry, Passed: false, events, [.. _invalidations], attempt, Mode: mode,
            NotWhole: [.. starts.Where(each => !each.Value.Covers(hour, hour + 1)).Select(each => each.Key)], Rebuild: rebuilds ? _later!.ToString() : null);
        if (request.NotWhole!.Count > 0)
        {
            _notWhole.Add((request.Run, hour));
        }

        var ports = new RecountPorts(_ledger, _ledger, _ledger, _counted, archive, archive.Objects, archive.Files, _replay, _world);
        var bounds = new RecountBounds(_world.Random.Next(3, 40), 1000, _world.Random.Next(5, 200));
        var rules = new RecountRules { Rollups = Rules.Rollups, Chunk = _world.Random.Next(1, 6), Young = TimeSpan.Zero, Bounds = bounds, Seed = _world.Random.NextInt64() };
        RecountResult result = await new HourUnit(request, ports, rules).RunAsync(CancellationToken.None);
        _world.Fire($"unit {result.Outcome} {result.Code}");
        _last = $"{result.Outcome} {result.Code}: {result.Message}";
        if (result.Outcome == RecountOutcome.Refused)
        {
            _failure = result.Message;
        }

        if (result.Outcome != RecountOutcome.Done)
        {
            return false;
        }

        _world.Fire($"done {mode}");

        if (result.Final is { } final)
        {
            // The record first, then the finalisation.
            long version = ++_version;
            _promised[(hour, version)] = Truth(hour, final.Upto, events);
            if (whole)
            {
                _wholeAt[(hour, version)] = start!.Switches;
            }

            _unsettled.Add(version);
            await _ledger.WriteFinalAsync(new HourFinal(hour, Chain, final.Upto, run, events, [.. final.Versions, version], _world.Now), CancellationToken.None);
            _unsettled.Remove(version);
            _world.Fire($"final {Math.Min(final.Versions.Count, 3)}");
            if (rebuilds && await _history.NoteRebuiltAsync(_later!.ToString(), start!.Switches, [new HourRange(hour, hour + 1)], _version))
            {
                _wholeAt[(hour, version)] = start.Switches;
                _world.Fire("rebuilt with a version");
            }
        }
        else if (rebuilds && !dry)
        {
            _world.Fire(await _history.NoteRebuiltAsync(_later!.ToString(), start!.Switches, [new HourRange(hour, hour + 1)], _version) ? "rebuilt" : "switched meanwhile");
        }

        return !dry;
    }

    /// <summary>
    /// The replay log takes records, some of them twice; where it fails it may have them all the same. Units share it, and their
    /// records lie between each other's.
    /// </summary>
    private async Task SendAsync(List<byte[]> records)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(_world.Random.Next(1, 200)), _world, CancellationToken.None);
        if (_world.Chance(_quiet ? 5 : 20))
        {
            _world.Fire("replay fails");
            _replay.Records.AddRange(records.Take(_world.Random.Next(records.Count + 1)));
            throw new ReplayUnavailableException("its answer is lost");
        }

        records.AddRange([.. records.Where(_ => _world.Chance(10))]);
    }

    /// <summary>The archive as the archive grain would have it: a function of the log.</summary>
    private MemoryArchive Archive()
    {
        var archive = new MemoryArchive { Upto = _archived };
        foreach (Archived[] some in Marked().Where(click => click.Offset < _archived).Chunk(_world.Random.Next(5, 60)))
        {
            archive.Add(Erased(Samples.Rows(_world.Chance(50) ? some : some.OrderByDescending(click => click.Ad, StringComparer.Ordinal))));
        }

        return archive;
    }

    private ClickRows Erased(ClickRows rows)
    {
        var files = new PlainFiles();
        foreach (ErasureOrder order in _erasures)
        {
            rows = ClearedRows.Make(files, files.Write(rows, default), order)?.Rows ?? rows;
        }

        return rows;
    }

    private IEnumerable<Archived> Marked()
    {
        var duplicates = new DuplicateSet(_rules.Horizon, _rules.MaxIds);
        foreach (Entry entry in _log.Entries)
        {
            bool repeats = duplicates.Add(
                ClickHash.Compute(TargetKind.Ad, System.Text.Encoding.UTF8.GetBytes(entry.Ad!), System.Text.Encoding.UTF8.GetBytes(entry.Id)), entry.Appended, entry.Offset);
            yield return new Archived(entry.Offset, entry.Time, entry.Ad!, entry.Id, entry.Campaign, entry.User, Appended: entry.Appended, Duplicate: repeats, Referrer: entry.Referrer);
        }
    }

    private SortedDictionary<string, long[]> Truth(int hour, long upto, long events) => Samples.Expected(
        Marked(), hour, upto, s_rollups, click => _invalidations.Any(one => one.InForceAt(events) && Fits(one, click)));

    /// <summary>By the click as it came: what was erased of it changes nothing, unless the invalidation came after.</summary>
    private bool Fits(InvalidationSpan one, Archived click)
    {
        InvalidationFilter filter = one.Filter;
        ErasureOrder? erased = filter.UserId is null && filter.Referrer is null ? null : _erasures.Find(order => order.UserId == click.User && click.Offset < order.Upto);
        return (filter.CampaignId ?? click.Campaign) == click.Campaign && (filter.UserId ?? click.User) == click.User && (filter.Referrer ?? click.Referrer) == click.Referrer
            && (erased is null || erased.Invalidations.Any(known => known.Number == one.Number));
    }

    private string? Compare()
    {
        foreach (int hour in Enumerable.Range(_firstHour, Hours))
        {
            SortedDictionary<string, long[]> truth = Truth(hour, long.MaxValue, _events);
            var truths = new Dictionary<long, SortedDictionary<string, long[]>>();
            foreach (string series in truth.Keys.Union(_windows.Rows.Keys.Where(key => key.Hour == hour).Select(key => key.Series)))
            {
                long[] expected = truth.GetValueOrDefault(series) ?? new long[60];
                long[] quarters = HourComparison.Quarters(expected);
                _windows.Rows.TryGetValue(new WindowKey(series, hour, Chain), out WindowRow? row);
                if (!(row?.Quarters ?? new long[4]).SequenceEqual(quarters) || row is { Minutes: { } minutes } && !minutes.SequenceEqual(expected) || row?.SetAside == true)
                {
                    return $"{series}@{hour} is {Text(row?.Quarters)}, and should be {Text(quarters)}";
                }

                if (row is not null && !HasAllBelow(row.Upto, series))
                {
                    return $"{series}@{hour} counts clicks beyond {row.Upto}, which it says is where they end";
                }

                _windows.Days.TryGetValue((series, hour / 24), out long[]? day);
                if (!(day?[(hour % 24 * 4)..((hour % 24 * 4) + 4)] ?? new long[4]).SequenceEqual(quarters))
                {
                    return $"the day of {series}@{hour} is {Text(day)}, and should have {Text(quarters)}";
                }
            }

            TopList? top = _windows.Tops.GetValueOrDefault(new TopKey(TargetKind.Ad, TopSlice.Hour, hour, Chain));
            string listed = string.Join(' ', (top?.Entries ?? []).Where(entry => entry.Clicks > 0).OrderBy(entry => entry.Id, StringComparer.Ordinal).Select(entry => $"{entry.Id}={entry.Clicks}"));
            string should = string.Join(' ', truth.Where(pair => pair.Key.StartsWith("ad:", StringComparison.Ordinal)).Select(pair => $"{pair.Key[3..]}={pair.Value.Sum()}"));
            if (listed != should)
            {
                return $"the top list of {hour} is {listed}, and should be {should}";
            }

            if (top is { Floor: > 0, Entries.Count: > 0 })
            {
                return $"the top list of {hour} has the floor {top.Floor}";
            }

            if (truth.Values.Any(minutes => minutes.Sum() > 0) && !HasAllBelow(_ledger.Marks.GetValueOrDefault((hour, Chain)), "total"))
            {
                return $"{hour} has clicks, and is not noted, or only to before its last";
            }

            if (_ledger.Open.ContainsKey((hour, Chain)))
            {
                return $"{hour} is open still";
            }

            bool HasAllBelow(long upto, string series)
            {
                if (!truths.TryGetValue(upto, out SortedDictionary<string, long[]>? below))
                {
                    truths[upto] = below = Truth(hour, upto, _events);
                }

                return (truth.GetValueOrDefault(series)?.Sum() ?? 0) == (below.GetValueOrDefault(series)?.Sum() ?? 0);
            }
        }

        string[] unlisted = [.. _windows.Unlisted.Where(one => _windows.Rows.Any(pair => pair.Key.Series == one.Series && pair.Value.Clicks > 0)).Select(one => one.Series)];
        return unlisted.Length > 0 ? $"{unlisted[0]} is named by no index" : CompareLedger() ?? ComparePromises();
    }

    /// <summary>What is called whole is, once what was under way has ended: where nothing but clicks changed the store.</summary>
    private string? CompareWhole()
    {
        if (!_calm || !_isOn || _chain is not { IsCounting: true } || _chain.Next < _log.End)
        {
            return null;
        }

        RollupStart start = Start();
        foreach (int hour in Enumerable.Range(_firstHour, Hours).Where(hour => start.Covers(hour, hour + 1)))
        {
            _world.Fire("called whole");
            foreach ((string series, long[] expected) in Truth(hour, long.MaxValue, _events).Where(pair => IsLater(pair.Key)))
            {
                _windows.Rows.TryGetValue(new WindowKey(series, hour, Chain), out WindowRow? row);
                if (row is null || !row.Quarters.SequenceEqual(HourComparison.Quarters(expected)))
                {
                    return $"{series}@{hour} is called whole with {Text(row?.Quarters)}, and should be {Text(HourComparison.Quarters(expected))}";
                }
            }
        }

        return null;
    }

    private RollupStart Start() => _history.GetStartsAsync().GetAwaiter().GetResult()[_later!.ToString()];

    private bool IsLater(string series) => _later is not null && SeriesName.TryParse(series, out SeriesName name) && name.Rollup == _later;

    private string Lists() => string.Join("; ", _windows.Tops.Select(pair =>
        $"{pair.Key.Slice} {pair.Key.Start}: {string.Join(' ', pair.Value.Entries.Select(entry => $"{entry.Id}={entry.Clicks}"))} floor {pair.Value.Floor}"))
        + " | " + string.Join("; ", _windows.Days.Where(pair => pair.Key.Series.StartsWith("ad:", StringComparison.Ordinal)).Select(pair => $"{pair.Key} {pair.Value.Sum()}"))
        + " | " + string.Join("; ", _windows.Rows.Where(pair => pair.Key.Series.StartsWith("ad:", StringComparison.Ordinal)).Select(pair => $"{pair.Key} {pair.Value.Clicks} {pair.Value.Upto} {pair.Value.Run}"));

    /// <summary>
    /// Where nobody changes the store, nothing differs but what is rebuilt: the ledger says so of nothing else at any moment. Two runs that
    /// rebuild an hour at once may find each other's windows without names, or beside their lists.
    /// </summary>
    private void CheckWritten(CorrectionRow row)
    {
        bool betweenRuns = IsLater(row.Key.Series) && row.Before.SequenceEqual(row.After);
        if (_calm && !betweenRuns && row.Cause is not (CorrectionCause.None or CorrectionCause.Rebuilt))
        {
            _failure ??= $"{row.Key} was right, and run {row.Run} took it for {row.Cause} ({row.Detail}): {Text(row.Before)} to {Text(row.After)} by {row.Upto}; its row {_windows.Rows.GetValueOrDefault(row.Key)?.Upto}";
        }
    }

    private string? CompareLedger()
    {
        foreach (CorrectionRow row in _ledger.Corrections.Values)
        {
            if (row.State == CorrectionState.Pending)
            {
                return $"{row.Key} is left pending by run {row.Run}";
            }

            bool lacked = IsLater(row.Key.Series) && _notWhole.Contains((row.Run, row.Key.Hour));
            if (row.Cause == CorrectionCause.Rebuilt ? !lacked : lacked && _calm && row.State == CorrectionState.Settled && row.After.Sum() > row.Before.Sum())
            {
                return $"{row.Key} was corrected by run {row.Run} as {row.Cause}, and its rollup was {(lacked ? "not whole" : "whole")}";
            }
        }

        foreach ((WindowKey key, WindowRow row) in _windows.Rows)
        {
            if (row.Run is { } name)
            {
                long run = long.Parse(name[1..].Split('.')[0], CultureInfo.InvariantCulture);
                if (!_ledger.Corrections.TryGetValue((run, key), out CorrectionRow? correction) || correction.State != CorrectionState.Settled)
                {
                    return $"{key} carries {name}, and the ledger says {correction?.State.ToString() ?? "nothing"}";
                }
            }
        }

        return null;
    }

    private string? ComparePromises()
    {
        foreach (((int hour, long version), SortedDictionary<string, long[]> promised) in _promised)
        {
            if (!IsTold((hour, version)))
            {
                continue; // its run died before the hour was made final
            }

            int ordinal = _ledger.Finals[(hour, Chain)].Versions.ToList().IndexOf(version);

            foreach (string series in promised.Keys.Union(_windows.Rows.Keys.Where(key => key.Hour == hour).Select(key => key.Series)))
            {
                // No version before the rollup was rebuilt tells its numbers.
                if (IsLater(series) && (!_wholeAt.TryGetValue((hour, version), out long switches) || switches != Start().Switches))
                {
                    continue;
                }

                var key = new WindowKey(series, hour, Chain);
                long[] then = _ledger.History.Values.Where(row => row.Key == key && row.Ordinal > ordinal).MinBy(row => row.Ordinal)?.Quarters
                    ?? (_windows.Rows.TryGetValue(key, out WindowRow? row) ? row.Quarters : new long[4]);
                if (!then.SequenceEqual(HourComparison.Quarters(promised.GetValueOrDefault(series) ?? new long[60])))
                {
                    return $"{key} at version {version} is {Text(then)}, and was promised as {Text(HourComparison.Quarters(promised.GetValueOrDefault(series) ?? new long[60]))}";
                }
            }
        }

        return null;
    }

    private static string Text(long[]? counts) => counts is null ? "nothing" : string.Join(',', counts);

#pragma warning disable CA1001 // a semaphore without a wait handle holds nothing
    private sealed class Counted(ReconcileRun run) : ICountedChains
#pragma warning restore CA1001
    {
        private SemaphoreSlim _turn = new(1, 1);
        private long _firstOrder;

        /// <summary>The grain is another one now: no call of the one before is under way.</summary>
        public void WakeAnew()
        {
            _turn = new SemaphoreSlim(1, 1);
            _firstOrder = 0;
        }

        public Task<CountedChain> GetAsync(int chain, CancellationToken cancellationToken) => run._world.Effect("progress", () => run._chain is { IsCounting: true } counting
            ? new CountedChain(CountedChainState.Counted, counting.Next, run._world.Now)
            : new CountedChain(CountedChainState.Standing, 0, 0));

        public async Task<long?> CountedToAsync(int chain, CancellationToken cancellationToken)
        {
            if (run._chain is not { IsCounting: true } counting)
            {
                return null;
            }

            // It runs where the partition is, beside its other calls.
            var answer = new TaskCompletionSource<long?>(TaskCreationOptions.RunContinuationsAsynchronously);
            GiveUp(answer, _turn);
            run._owner!.Start(async () =>
            {
                try
                {
                    answer.TrySetResult(await counting.CountedToAsync(CancellationToken.None));
                }
#pragma warning disable CA1031 // as a grain: whatever it is goes to the caller
                catch (Exception error)
#pragma warning restore CA1031
                {
                    answer.TrySetException(error);
                }
            });
            return await answer.Task;
        }

        public async Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections, CancellationToken cancellationToken)
        {
            // The partition is another process: it goes on with what it was asked, whatever becomes of who asked.
            PartitionChain? counting = run._chain;
            Actor? owner = run._owner;
            if (counting is not { IsCounting: true } || owner is null)
            {
                return null;
            }

            var answer = new TaskCompletionSource<IReadOnlyList<WindowOutcome>>(TaskCreationOptions.RunContinuationsAsynchronously);
            SemaphoreSlim turn = _turn;
            GiveUp(answer, turn);
            owner.Start(async () =>
            {
                // A grain takes one call at a time.
                await turn.WaitAsync(CancellationToken.None);
                try
                {
                    if (corrections.Any(each => each.Order < _firstOrder))
                    {
                        run._world.Fire("correction of an earlier run refused");
                        answer.TrySetResult([.. corrections.Select(_ => WindowOutcome.Later)]);
                        return;
                    }

                    answer.TrySetResult(await counting.CorrectAsync(
                        [.. corrections.Select(each => Correction.Of(chain, each))],
                        CancellationToken.None));
                }
#pragma warning disable CA1031 // as a grain: whatever it is goes to the caller
                catch (Exception error)
#pragma warning restore CA1031
                {
                    answer.TrySetException(error);
                }
                finally
                {
                    turn.Release();
                }
            });
            return await answer.Task;
        }

        /// <summary>
        /// Whoever asked does not wait for ever. Once nothing fails any more it is another matter: time flies while work waits here, so that
        /// an answer may be long on its way, but it has to come as long as the grain that was asked is awake.
        /// </summary>
        private void GiveUp<T>(TaskCompletionSource<T> answer, SemaphoreSlim turn) => run._world.After(120_000, () =>
        {
            if (run._quiet && turn == _turn && !answer.Task.IsCompleted)
            {
                GiveUp(answer, turn);
            }
            else
            {
                answer.TrySetException(new TimeoutException("no answer"));
            }
        });

        public Task<IReadOnlyList<int>> MixedWithAsync(int chain, int hour) => Task.FromResult<IReadOnlyList<int>>([]);

        public async Task<bool> FenceAsync(int chain, long by, CancellationToken cancellationToken)
        {
            // It runs where the partition is: whoever asked may die meanwhile.
            var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            SemaphoreSlim turn = _turn;
            GiveUp(answer, turn);
            run._owner!.Start(async () =>
            {
                await turn.WaitAsync(CancellationToken.None);
                _firstOrder = Math.Max(_firstOrder, by);
                turn.Release();
                answer.TrySetResult(run._chain is { IsCounting: true });
            });
            return await answer.Task;
        }
    }

    private sealed class NotingFirst(ReconcileRun run) : IBatchStore
    {
        public Task WriteAsync(BatchRows rows, CancellationToken cancellationToken) => run._ledger.WriteAsync(rows, cancellationToken);

        public Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken) => run._ledger.ReadTopAsync(key, cancellationToken);

        public Task<long?> ReadHourAsync(int hour, int chain, CancellationToken cancellationToken) => run._ledger.ReadHourAsync(hour, chain, cancellationToken);

        public Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int chain, CancellationToken cancellationToken) =>
            run._ledger.ReadFinalsAsync(hours, chain, cancellationToken);
    }
}
