using System.Globalization;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Counting;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Grains.Tests.Simulation;

/// <summary>One seed: owners of one partition that die, stall and come back, over stores that fail; then quiet, and the recount.</summary>
internal sealed class ChainRun : IDisposable
{
    private const int MostSteps = 400_000;
    private readonly World _world;
    private readonly MemoryLog _log;
    private readonly MemoryRecords _records;
    private readonly MemoryRules _rulesStore;
    private readonly MemoryWindows _windows;
    private readonly Activations _activations;
    private readonly ChainFaults _faults;
    private readonly CountingInstruments _instruments = new();
    private readonly (CountingRules Rules, Style Style)[] _styles;
    private readonly List<Owner> _owners = [];
    private readonly Dictionary<WindowKey, int> _damaged = [];
    private readonly List<(WindowKey Key, WindowRow Row)> _snapshots = [];
    private string? _failure;
    private bool _quiet;
    private bool _done;
    private int _runs;

    private ChainRun(int seed, ChainFaults faults)
    {
        _world = new World(seed);
        _faults = faults;
        _log = new MemoryLog(_world.Random);
        _records = new MemoryRecords(_world, faults);
        _rulesStore = new MemoryRules(_world);
        _windows = new MemoryWindows(_world, faults);
        _activations = new Activations(_world, _windows, faults);
        _styles = [.. new[] { Draw(true, false, null), Draw(false, true, null), Draw(true, true, 1) }.Select(style => (Rules(style), style))];
    }

    /// <summary>Runs a seed; answers what is wrong, or null.</summary>
    public static string? Check(int seed, ChainFaults faults, Dictionary<string, int>? fired = null)
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            using var run = new ChainRun(seed, faults);
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
        int appends = _world.Random.Next(10, 40);
        long at = 0;
        for (int i = 0; i < appends; i++)
        {
            at += _world.Chance(5) ? _world.Random.Next(60_000, 1_200_000) : _world.Random.Next(50, 8_000);
            _world.After(at, Append);
            _world.After(at + _world.Random.Next(0, 5_000), Disturb);
        }

        StartOwner(last: false);
        long end = _world.Now + at + 5_000;
        _world.After(end - _world.Now, static () => { });
        if (!_world.RunUntil(() => _world.Now >= end || _failure is not null, MostSteps))
        {
            return _failure ?? "the run did not end";
        }

        // Quiet: those who stalled come back, and what was under way lands.
        _quiet = true;
        _world.Faulty = false;
        end = Math.Max(end, _owners.Select(o => o.Actor.StalledUntil).DefaultIfEmpty(0).Max()) + 200_000;
        _world.After(end - _world.Now, static () => { });
        if (!_world.RunUntil(() => _world.Now >= end || _failure is not null, MostSteps))
        {
            return _failure ?? "the stalled did not end";
        }

        _owners.ForEach(o => o.Actor.Dead = true);
        _owners.Clear();
        StartOwner(last: true);
        if (!_world.RunUntil(() => _done || _failure is not null, MostSteps))
        {
            return _failure ?? "the last owner did not end";
        }

        return _failure ?? Compare();
    }

    private void Append()
    {
        int count = _world.Random.Next(1, 25);
        for (int i = 0; i < count; i++)
        {
            long offset = _log.End + (_world.Chance(10) ? _world.Random.Next(1, 4) : 0);
            long behind = _world.Random.Next(10) switch { 0 => _world.Random.Next(0, 40 * 3_600_000), 1 => -_world.Random.Next(0, 7_200_000), _ => _world.Random.Next(0, 90_000) };
            var entry = new Entry(
                offset, _world.Now - (_world.Chance(5) ? 700 : 0), _world.Chance(2) ? null : $"a{_world.Random.Next(4)}", $"c{offset}",
                _world.Chance(50) ? "k" : "", _world.Now - behind, _world.Chance(1));
            if (_log.Entries.Count > 0 && _world.Chance(20))
            {
                // A repeat, of a near or a far one.
                Entry other = _log.Entries[_world.Chance(60) ? Math.Max(0, _log.Entries.Count - _world.Random.Next(1, 20)) : _world.Random.Next(_log.Entries.Count)];
                entry = other with { Offset = offset, Appended = entry.Appended };
            }

            _log.Entries.Add(entry);
            _log.End = offset + 1;
        }

        foreach (Owner owner in _owners)
        {
            if (_world.Chance(30))
            {
                _world.Fire("slab not delivered");
                continue;
            }

            long from = Math.Max(0, _log.End - _world.Random.Next(1, 60));
            for (int i = _world.Random.Next(1, 3); i > 0; i--)
            {
                Slab slab = _log.Cut(from, _log.End);
                _world.Fire("slab delivered");
                owner.Actor.Start(async () =>
                {
                    if (owner.Chain is { IsCounting: true } chain)
                    {
                        await chain.OfferAsync(slab, CancellationToken.None);
                    }
                });
            }
        }
    }

    private void Disturb()
    {
        switch (_world.Random.Next(15))
        {
            case 0 when _owners.Count > 0:
                Owner dying = _owners[_world.Random.Next(_owners.Count)];
                dying.Actor.Dead = true;
                _owners.Remove(dying);
                _world.Fire("owner crash");
                break;
            case 1 when _owners.Count > 0:
                _owners[_world.Random.Next(_owners.Count)].Actor.StalledUntil = _world.Now + _world.Random.Next(10, 60_000);
                _world.Fire("owner stalls");
                break;
            case 2 when _owners.Count < 3:
                _world.Fire("second owner");
                StartOwner(last: false);
                break;
            case 3:
                _activations.CrashOne();
                break;
            case 4 or 5 when _windows.Rows.Count > 0:
                Damage();
                break;
            case 6 when _windows.Rows.Count > 0:
                WindowRow old = _windows.Rows.ElementAt(_world.Random.Next(_windows.Rows.Count)).Value;
                old.Minutes = null;
                _world.Fire("minutes expired");
                break;
            case 7 or 8 when _windows.Rows.Count > 0:
                var kept = _windows.Rows.ElementAt(_world.Random.Next(_windows.Rows.Count));
                _snapshots.Add((kept.Key, MemoryWindows.Copy(kept.Value)));
                break;
            case 9 when _records.Record is { DedupFrom: > 0 } record && !_faults.HasFlag(ChainFaults.NoIntent):
                // What the counting does not need, the log may let go of.
                _log.Start = Math.Max(_log.Start, Math.Min(record.DedupFrom, record.Next));
                _world.Fire("log trimmed");
                break;
            default:
                if (_owners.Count == 0)
                {
                    StartOwner(last: false);
                }

                break;
        }
    }

    private void Damage()
    {
        (WindowKey key, WindowRow row) = _windows.Rows.ElementAt(_world.Random.Next(_windows.Rows.Count));
        switch (_world.Random.Next(4))
        {
            case 0:
                _windows.Rows.Remove(key);
                _world.Fire("foreign delete");
                break;
            case 1:
                _windows.Rows.Remove(key);
                _windows.Tombstones[key] = (_world.Now + (_world.Random.Next(2) * _world.Random.Next(0, 3_600_000))) * 1000; // by a clock that may be ahead
                _world.Fire("foreign delete that is remembered");
                break;
            case 2:
                WindowRow other = MemoryWindows.Copy(row);
                other.Quarters[1] += 7;
                other.Stamp = Math.Max(row.Stamp + 1, _world.Now * 1000);
                _windows.Rows[key] = other;
                _world.Fire("foreign write");
                break;
            default:
                if (_snapshots.Count == 0)
                {
                    return;
                }

                (key, row) = _snapshots[_world.Random.Next(_snapshots.Count)];
                _windows.Rows[key] = MemoryWindows.Copy(row);
                _world.Fire("row restored");
                break;
        }

        _damaged[key] = _damaged.GetValueOrDefault(key) + 1;
    }

    private void StartOwner(bool last)
    {
        // Without intents nobody knows by which rules a record was counted.
        int style = _faults.HasFlag(ChainFaults.NoIntent) || _world.Chance(60) ? 0 : _world.Random.Next(_styles.Length);
        if (style != 0)
        {
            _world.Fire("other rules");
        }

        var owner = new Owner(_world.NewActor(), _styles[style].Rules);
        _owners.Add(owner);
        owner.Actor.Start(() => OwnAsync(owner, last));
    }

    private async Task OwnAsync(Owner owner, bool last)
    {
        IChainRecordStore store = _records.Open();
        var options = new ChainOptions { MaxRecords = _world.Random.Next(1, 80), BufferBytes = _world.Random.Next(200, 20_000), InFlight = _world.Random.Next(1, 9) };
        while (true)
        {
            var chain = new PartitionChain(
                0, options, _log, store, _rulesStore, _activations, _windows, _ => Task.FromResult(1),
                (rules, number) => new ClickFolder(rules, number, new DuplicateSet(rules.Horizon, rules.MaxIds), maxSlots: 12),
                owner.Rules, _world, NullLogger.Instance, static _ => { }, _instruments, _faults);
            try
            {
                owner.Chain = chain;
                await chain.StartAsync(CancellationToken.None);
                await CountAsync(chain, last);
                return;
            }
            catch (ChainFencedException)
            {
                chain.Abandon(PartitionState.Starting, null);
                _owners.Remove(owner);
                if (last)
                {
                    _failure = "the last owner was fenced";
                }

                return;
            }
            catch (TimeoutException)
            {
                chain.Abandon(PartitionState.Starting, null);
                _world.Fire("chain starts over");
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

    private async Task CountAsync(PartitionChain chain, bool last)
    {
        while (true)
        {
            bool atEnd = (!chain.HasWork || _world.Chance(20)) && await chain.ReadToEndAsync(CancellationToken.None);
            if (chain.HasWork)
            {
                await chain.CommitAsync(CancellationToken.None);
            }
            else if (atEnd)
            {
                if (_damaged.Count > 0 && (last || (!_quiet && _world.Chance(10))))
                {
                    await CorrectAsync(chain);
                }

                if (last || _world.Chance(30))
                {
                    await chain.CompleteAsync(CancellationToken.None);
                }

                if (last && _damaged.Count == 0)
                {
                    _done = true;
                    return;
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(_world.Random.Next(10, 3_000)), _world, CancellationToken.None);
        }
    }

    private async Task CorrectAsync(PartitionChain chain)
    {
        KeyValuePair<WindowKey, int>[] damaged = [.. _damaged];
        Dictionary<(string, int), long[]> truth = Truth(chain.Next);
        string run = string.Create(CultureInfo.InvariantCulture, $"run-{_runs++}");
        Correction[] corrections = [.. damaged.Select(d =>
        {
            long[] minutes = truth.GetValueOrDefault((d.Key.Series, d.Key.Hour)) ?? new long[60];
            return new Correction(d.Key, run, chain.Next, _world.Chance(20) ? null : minutes, Recount.Quarters(minutes));
        })];
        IReadOnlyList<WindowOutcome> outcomes = await chain.CorrectAsync(corrections, CancellationToken.None);
        for (int i = 0; i < outcomes.Count; i++)
        {
            // Unless it was damaged again meanwhile.
            if (outcomes[i] is WindowOutcome.Applied or WindowOutcome.Repeated && _damaged.GetValueOrDefault(damaged[i].Key) == damaged[i].Value)
            {
                _damaged.Remove(damaged[i].Key);
                _world.Fire("corrected");
            }
        }
    }

    private Style Draw(bool campaigns, bool kinds, int? retentionDays) =>
        new(campaigns, kinds, retentionDays, _world.Random.Next(1_000, 90_000), _world.Random.Next(5, 120));

    private static CountingRules Rules(Style style)
    {
        var rollups = new List<Rollup> { new(RollupBase.Total), new(RollupBase.Target) };
        if (style.Campaigns)
        {
            rollups.Add(new Rollup(RollupBase.Campaign));
        }

        if (style.Kinds)
        {
            rollups.Add(new Rollup(RollupBase.Kind));
        }

        return new CountingRules(new RollupSet(rollups), TimeSpan.FromMilliseconds(style.Horizon), style.MaxIds, retentionDays: style.RetentionDays);
    }

    private Dictionary<(string Series, int Hour), long[]> Truth(long upto) => Recount.Of(
        _log.Entries, upto, _records.Begun, id => _styles.First(s => s.Rules.Id == id).Style, _styles[0].Style);

    private string? Compare()
    {
        Dictionary<(string Series, int Hour), long[]> truth = Truth(long.MaxValue);
        foreach (((string series, int hour), long[] minutes) in truth)
        {
            if (!_windows.Rows.TryGetValue(new WindowKey(series, hour, 1), out WindowRow? row))
            {
                return $"{series}@{hour} is missing";
            }

            long[] quarters = Recount.Quarters(minutes);
            if (row.SetAside || !row.Quarters.SequenceEqual(quarters) || !(row.Minutes ?? minutes).SequenceEqual(minutes))
            {
                return $"{series}@{hour} has {row.Clicks} (set aside: {row.SetAside}), and {minutes.Sum()} is right";
            }

            if (!_windows.Days.TryGetValue((series, hour / 24), out long[]? day) || !day.Skip(hour % 24 * 4).Take(4).SequenceEqual(quarters))
            {
                return $"the day of {series}@{hour} is wrong";
            }
        }

        if (_windows.Rows.FirstOrDefault(r => r.Value.Clicks > 0 && !truth.ContainsKey((r.Key.Series, r.Key.Hour))) is { Value: { } phantom } at)
        {
            return $"{at.Key} has {phantom.Clicks} clicks that nobody made";
        }

        if (_windows.Days.Sum(d => d.Value.Sum()) != truth.Sum(t => t.Value.Sum()))
        {
            return "the days hold clicks that nobody made";
        }

        if (!truth.Keys.Select(k => k.Hour).ToHashSet().SetEquals(_windows.Hours))
        {
            return "the hours are others";
        }

        if (_windows.Unnoted is string unnoted)
        {
            return unnoted;
        }

        return CompareTops(truth, TopSlice.Hour, 1) ?? CompareTops(truth, TopSlice.Day, 24);
    }

    private string? CompareTops(Dictionary<(string Series, int Hour), long[]> truth, TopSlice slice, int hours)
    {
        foreach (var group in truth.Where(t => t.Key.Series.StartsWith("ad:", StringComparison.Ordinal)).GroupBy(t => t.Key.Hour / hours))
        {
            TopEntry[] expected = [.. group.GroupBy(t => t.Key.Series[3..]).Select(g => new TopEntry(g.Key, g.Sum(t => t.Value.Sum())))
                .OrderByDescending(e => e.Clicks).ThenBy(e => e.Id, StringComparer.Ordinal)];
            TopList? list = _windows.Tops.GetValueOrDefault(new TopKey(TargetKind.Ad, slice, group.Key, 1));
            if (list is null || !list.Entries.Where(e => e.Clicks >= list.Floor).SequenceEqual(expected.Where(e => e.Clicks >= list.Floor)))
            {
                return $"the top list of {slice} {group.Key} is [{string.Join(' ', list?.Entries ?? [])}], and [{string.Join(' ', expected)}] is right";
            }
        }

        return null;
    }

    private sealed record Owner(Actor Actor, CountingRules Rules)
    {
        public PartitionChain? Chain { get; set; }
    }
}
