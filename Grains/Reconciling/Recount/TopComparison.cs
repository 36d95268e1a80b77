using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// The top lists of an hour and, once its day is over, of the day: compared after the windows, whose corrections mend lists, too.
/// What is still wrong is mended by noting the windows of this hour again, with the counts they have. A day's list that is gone though
/// this hour has clicks of its kind, and any in its last hour, is held against every target of the day. Not safe for concurrent use.
/// </summary>
internal sealed class TopComparison
{
    private const int MostSeries = 1000;
    private const int LastHour = 23;
    private const string HourFloorDetail = "floor";
    private const string DayFloorDetail = "day's floor";
    private static readonly Dictionary<string, long> s_none = [];
    private const int MostLooks = 4;

    private readonly RecountPorts _ports;
    private readonly RecountRules _rules;
    private readonly int _hour;
    private readonly int _day;
    private readonly int _chain;
    private readonly TopWatch[] _watches;
    private readonly int? _dryFrom;
    private readonly Dictionary<(TargetKind Kind, string Id), int> _firstClicked = [];
    private bool _dayIsOver;
    private bool _wholeDay;

    /// <param name="ports">What is stored.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="hour">The hour.</param>
    /// <param name="chain">The chain.</param>
    /// <param name="dryFrom">
    /// The first hour of a dry run: as it mends nothing, each hour of a day would find the same in the day's list, and one of them tells it.
    /// Null where it is mended, or told in any case.
    /// </param>
    public TopComparison(RecountPorts ports, RecountRules rules, int hour, int chain, int? dryFrom = null)
    {
        _dryFrom = dryFrom;
        _ports = ports;
        _rules = rules;
        _hour = hour;
        _day = (int)Math.Floor(hour / 24.0);
        _chain = chain;
        _watches = rules.Rollups.Contains(RollupBase.Target) ? [.. TargetKinds.All.Select(kind => new TopWatch(kind))] : [];
    }

    /// <summary>Reads the lists, whose targets are watched from then on.</summary>
    /// <param name="countedUntil">Log time until which all is counted, milliseconds since the epoch.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task LoadAsync(long countedUntil, CancellationToken cancellationToken)
    {
        _dayIsOver = countedUntil >= ((_day + 1) * 86_400_000L) + (long)_rules.Young.TotalMilliseconds;
        _wholeDay = _dayIsOver && _watches.Length > 0 && _hour - (_day * 24) == LastHour;
        var gone = new List<TopWatch>();
        foreach (TopWatch watch in _watches)
        {
            TopList? ofHour = await HourListAsync(watch, cancellationToken);
            watch.Watch(ofHour);
            if (_dayIsOver)
            {
                TopList? list = await DayListAsync(watch, cancellationToken);
                watch.Watch(list);
                _wholeDay |= list is null && ofHour is not null;
                if (list is null && ofHour is null)
                {
                    gone.Add(watch);
                }
            }
        }

        _wholeDay = _wholeDay || await HourHasAnyAsync(gone, cancellationToken);
        for (int hour = _day * 24; _wholeDay && hour < (_day + 1) * 24; hour++)
        {
            if (hour != _hour)
            {
                await foreach (StoredWindow stored in _ports.Ledger.ReadWindowsAsync(hour, _chain, cancellationToken))
                {
                    Note(stored);
                }
            }
        }
    }

    /// <summary>Notes what is stored of a window.</summary>
    public void Note(StoredWindow stored)
    {
        if (_dayIsOver && Watch(stored.Key.Series, out string id) is { } watch)
        {
            watch.Note(id, stored.Row.DayClicks);
        }
    }

    /// <summary>Takes what was recounted in a pass, once what is stored of it was noted.</summary>
    public void Expect(HourTable table)
    {
        for (int number = 0; _watches.Length > 0 && number < table.Count; number++)
        {
            // Most names are targets'; the others are told by their first letters.
            if (Watch(table.Series(number), out string id) is { } watch)
            {
                watch.Expect(id, table, number);
            }
        }
    }

    /// <summary>Compares, and has noted again what is wrong; then the lists must be right.</summary>
    public async Task CheckAsync(Corrector corrector, CancellationToken cancellationToken)
    {
        int? floor = await _ports.Counts.ReadMinutesFloorAsync(cancellationToken);
        bool mended = false;

        // Where a dry run has differences, lists would change with them: what their floors would be then is not known.
        bool withFloors = corrector.Mends || corrector.IsDryAndUntouched;
        foreach (TopWatch watch in _watches)
        {
            IReadOnlyList<Wrong> wrong = await ConfirmedAsync(watch, withFloors, corrector, cancellationToken);
            IReadOnlyDictionary<string, StoredWindow> stored = await corrector.FindAsync([.. wrong.Select(one => watch.Series(one.Id))], cancellationToken);
            foreach (Wrong one in wrong)
            {
                mended = true;
                string series = watch.Series(one.Id);
                long[] minutes = watch.Minutes(one.Id);
                long[] quarters = HourComparison.Quarters(minutes);
                StoredWindow? read = stored.GetValueOrDefault(series);
                await corrector.TakeAsync(
                    new WindowDifference(
                        new WindowKey(series, _hour, _chain), CorrectionCause.StoreDamage, quarters, quarters, _hour < floor ? null : minutes, read?.Row.Upto ?? 0, false, one.Detail)
                    {
                        Read = read,
                        HourFloor = one.HourFloor,
                        DayFloor = one.DayFloor,
                    },
                    cancellationToken);
            }
        }

        await corrector.FlushAsync(cancellationToken);
        foreach (TopWatch watch in mended && corrector.Mends ? _watches : [])
        {
            // A floor that the partition left as it is, because clicks beyond the recount may have raised it, is for the next run.
            if ((await WrongAsync(watch, withFloors: false, cancellationToken)).Count > 0)
            {
                corrector.DoAgain("top_list", $"a top list of {TargetKinds.Plural(watch.Kind)} is not right yet");
            }
        }
    }

    /// <summary>
    /// What is wrong whatever batches do: one that is under way has its windows in the store and not yet its lists. So it is looked once more
    /// when that is done, and wrong is what was so before in the same way.
    /// </summary>
    private async Task<IReadOnlyList<Wrong>> ConfirmedAsync(TopWatch watch, bool withFloors, Corrector corrector, CancellationToken cancellationToken)
    {
        IReadOnlyList<Wrong> wrong = await WrongAsync(watch, withFloors, cancellationToken);
        for (int looks = 2; wrong.Count > 0; looks++)
        {
            await corrector.CountedToAsync(cancellationToken); // where it is not counted now, nothing is corrected either
            IReadOnlyList<Wrong> now = await WrongAsync(watch, withFloors, cancellationToken);
            Wrong[] still = [.. now.Intersect(wrong)];
            wrong = now;
            if (still.Length < now.Count && looks < MostLooks)
            {
                continue;
            }

            if (still.Length < now.Count)
            {
                corrector.DoAgain("top_list", $"a top list of {TargetKinds.Plural(watch.Kind)} changed each time that it was compared");
            }

            return await WithoutRaisedAsync(still, corrector, cancellationToken);
        }

        return wrong;
    }

    /// <summary>A floor that clicks beyond the recount may have raised is for the next run.</summary>
    private async Task<IReadOnlyList<Wrong>> WithoutRaisedAsync(Wrong[] wrong, Corrector corrector, CancellationToken cancellationToken)
    {
        int bearer = Array.FindIndex(wrong, one => (one.HourFloor ?? one.DayFloor) is not null);
        if (bearer < 0)
        {
            return wrong;
        }

        Wrong bears = wrong[bearer];
        bool hourIsRaised = bears.HourFloor is not null && await corrector.AreTouchedBeyondAsync(_hour, _hour + 1, cancellationToken);
        bool dayIsRaised = bears.DayFloor is not null && await corrector.AreTouchedBeyondAsync(_day * 24, (_day + 1) * 24, cancellationToken);
        string[] details = [.. bears.Detail.Split(", ").Where(detail => !(hourIsRaised && detail == HourFloorDetail) && !(dayIsRaised && detail == DayFloorDetail))];
        wrong[bearer] = bears with
        {
            Detail = string.Join(", ", details),
            HourFloor = hourIsRaised ? null : bears.HourFloor,
            DayFloor = dayIsRaised ? null : bears.DayFloor,
        };
        return details.Length > 0 ? wrong : [.. wrong.Where((_, n) => n != bearer)];
    }

    /// <summary>The windows that have to be noted again. Floors come with the last: all who should be listed are by then.</summary>
    private async Task<IReadOnlyList<Wrong>> WrongAsync(TopWatch watch, bool withFloors, CancellationToken cancellationToken)
    {
        var wrong = new Dictionary<string, string>(StringComparer.Ordinal);
        TopList? ofHour = await HourListAsync(watch, cancellationToken);
        long? hourFloor = withFloors ? watch.HourFloor(ofHour) : null;
        foreach (string id in watch.WrongInHour(ofHour, hourFloor ?? ofHour?.Floor ?? 0))
        {
            wrong[id] = "top";
        }

        TopList? ofDay = null;
        long? dayFloor = null;
        IReadOnlyDictionary<string, long> clicks = s_none;
        if (_dayIsOver)
        {
            // The clicks are read before the list: what counts meanwhile is in the list by then, or in neither.
            ofDay = await DayListAsync(watch, cancellationToken);
            clicks = await DayClicksAsync(watch, watch.DecidingDay(ofDay), cancellationToken);
            dayFloor = withFloors && _wholeDay ? watch.DayFloor(ofDay, clicks) : null;
            foreach (string id in watch.WrongInDay(ofDay, clicks, dayFloor ?? ofDay?.Floor ?? 0).Where(id => TellsOfDay(watch, id)))
            {
                // Of a target whose day row is gone, or says nothing, the list may be right.
                string what = clicks.ContainsKey(id) ? "day's top" : "day";
                wrong[id] = wrong.ContainsKey(id) ? $"top, {what}" : what;
            }
        }

        if ((hourFloor ?? dayFloor) is null || watch.Bearer(ofHour, ofDay) is not { } bearer)
        {
            return [.. wrong.Select(pair => Of(pair.Key, pair.Value))];
        }

        wrong.Remove(bearer, out string? detail);
        string[] details = [.. new[] { detail, hourFloor is null ? null : HourFloorDetail, dayFloor is null ? null : DayFloorDetail }.OfType<string>()];
        return [.. wrong.Select(pair => Of(pair.Key, pair.Value)), Of(bearer, string.Join(", ", details)) with { HourFloor = hourFloor, DayFloor = dayFloor }];

        Wrong Of(string id, string what) => new(id, what, Listed(ofHour, id), Listed(ofDay, id), clicks.GetValueOrDefault(id));
    }

    private static long? Listed(TopList? list, string id)
    {
        foreach (TopEntry entry in list?.Entries ?? [])
        {
            if (entry.Id == id)
            {
                return entry.Clicks;
            }
        }

        return null;
    }

    private async Task<IReadOnlyDictionary<string, long>> DayClicksAsync(TopWatch watch, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var clicks = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string[] some in ids.Chunk(MostSeries))
        {
            foreach (DayRow row in await _ports.Counts.ReadDaysAsync([.. some.Select(watch.Series)], _day, _day + 1, cancellationToken))
            {
                if (row.Chain == _chain && watch.Id(row.Series) is { } id && !(row.SetAside && !row.Quarters.AsSpan().ContainsAnyExcept(0)))
                {
                    clicks[id] = row.Quarters.Sum();
                    if (_dryFrom is int from)
                    {
                        _firstClicked[(watch.Kind, id)] = FirstClicked(row.Quarters, FirstOfDay(from));
                    }
                }
            }
        }

        return clicks;
    }

    /// <summary>Whether this hour is the one that tells of a target in the day's list: the first of a dry run in which it has clicks, or, where it has none, the first.</summary>
    private bool TellsOfDay(TopWatch watch, string id) =>
        _dryFrom is not int from || _hour == _firstClicked.GetValueOrDefault((watch.Kind, id), FirstOfDay(from));

    private int FirstOfDay(int from) => Math.Max(from, _day * 24);

    private int FirstClicked(long[] quarters, int first)
    {
        int found = quarters.AsSpan((first - (_day * 24)) * 4).IndexOfAnyExcept(0L);
        return found < 0 ? first : first + (found / 4);
    }

    /// <summary>
    /// Whether windows of the hour are of a kind without lists. Most kinds that have none nobody clicks, and for these the day is not
    /// read in each of its hours.
    /// </summary>
    private async Task<bool> HourHasAnyAsync(IEnumerable<TopWatch> gone, CancellationToken cancellationToken)
    {
        var listed = new List<TopWatch>();
        foreach (TopWatch watch in gone)
        {
            if ((await _ports.Counts.ListSeriesAsync(watch.Series(""), _hour, _hour + 1, null, 1, cancellationToken)).Count > 0)
            {
                listed.Add(watch);
            }
        }

        if (listed.Count > 0)
        {
            await foreach (StoredWindow stored in _ports.Ledger.ReadWindowsAsync(_hour, _chain, cancellationToken))
            {
                if (listed.Any(watch => watch.Id(stored.Key.Series) is not null))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private TopWatch? Watch(string series, out string id)
    {
        foreach (TopWatch watch in _watches)
        {
            if (watch.Id(series) is { } found)
            {
                id = found;
                return watch;
            }
        }

        id = "";
        return null;
    }

    /// <summary>A window that has to be noted again, its target's clicks in the lists and of the day, and the floors that lists should have.</summary>
    private readonly record struct Wrong(
        string Id, string Detail, long? InHour, long? InDay, long OfDay, long? HourFloor = null, long? DayFloor = null);

    private Task<TopList?> HourListAsync(TopWatch watch, CancellationToken cancellationToken) =>
        _ports.Batches.ReadTopAsync(new TopKey(watch.Kind, TopSlice.Hour, _hour, _chain), cancellationToken);

    private Task<TopList?> DayListAsync(TopWatch watch, CancellationToken cancellationToken) =>
        _ports.Batches.ReadTopAsync(new TopKey(watch.Kind, TopSlice.Day, _day, _chain), cancellationToken);
}
