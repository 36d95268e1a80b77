using System.Globalization;
using System.Text.Json;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Api.Verify;

/// <summary>
/// Holds what is derived from windows against them: each hour of a day row is its window's, each count of a top list is its target's,
/// and nobody who is not listed has more clicks than the list's floor; each window has its name in the index of its day, and each hour with
/// clicks its mark. Rows with no window behind them are found as well. It shares nothing with the code that derives them, nor with reconciliation.
/// </summary>
/// <remarks>
/// Tables are read one behind the other, and clicks may arrive meanwhile: what seems wrong is looked at again. A day row is written
/// before its window, a list behind it, and both before the record says that their batch is complete. So what is as wrong once the batch is
/// complete that was under way when it was seen, and was not written since, is wrong.
/// Memory is bounded by working through the series in parts of about <see cref="RowsPerPart"/> rows.
/// </remarks>
/// <param name="store">What is stored.</param>
/// <param name="ledger">The same, window by window.</param>
/// <param name="states">Which batches are under way.</param>
/// <param name="rules">Which hours are kept.</param>
/// <param name="chains">Every chain's number.</param>
/// <param name="patience">
/// How long a batch that is under way is waited for. Null where nothing is written meanwhile, in a store that writes a window and its day
/// at once.
/// </param>
/// <param name="time">When.</param>
/// <param name="progress">Hears how far it is; null for nobody.</param>
/// <param name="rowsPerPart">How many rows are in memory; for tests.</param>
internal sealed class DerivedRows(
    ICountReader store,
    ILedgerStore ledger,
    IStoredStates states,
    RecountRules rules,
    IReadOnlySet<int> chains,
    TimeSpan? patience,
    TimeProvider? time = null,
    VerifyProgress? progress = null,
    long rowsPerPart = DerivedRows.RowsPerPart)
{
    /// <summary>About 200 bytes each are in memory.</summary>
    public const long RowsPerPart = 2_000_000;

    private const int AtOnce = 1000;
    private const int MostLooks = 20;
    private const int HoursTogether = 24 * 31;
    private static readonly long[] s_none = new long[4];
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly DerivedResult _result = new();
    private readonly VerifyProgress _progress = progress ?? VerifyProgress.None;
    private readonly HashSet<(int Hour, int Chain)> _hours = [];

    // Of lists whose floor may be too high: what would be enough for the targets that are not in them.
    private readonly Dictionary<TopKey, (long Floor, long Least)> _floors = [];
    private int _from;
    private int _to;
    private int _part;
    private int _parts;

    /// <summary>Compares the hours of <c>[fromHour, toHour)</c>, and the top lists of the days that these touch.</summary>
    public async Task<DerivedResult> RunAsync(int fromHour, int toHour, CancellationToken cancellationToken)
    {
        _from = Math.Max(fromHour, rules.FirstKeptHour(_time.GetUtcNow()));
        _to = toHour;
        long rows = await CountAsync(cancellationToken);
        _parts = (int)Math.Max(1, (rows + rowsPerPart - 1) / rowsPerPart);
        for (_part = 0; _part < _parts; _part++)
        {
            (HashSet<WindowKey> hours, HashSet<Place> places) = await FindAsync(cancellationToken);
            await ConfirmAsync(hours, places, cancellationToken);
            _result.EndPart();
        }

        foreach ((TopKey list, (long floor, long least)) in _floors.Where(list => list.Value.Floor > list.Value.Least))
        {
            _result.NoteFloor(string.Create(CultureInfo.InvariantCulture, $"{Name(list)}: its floor is {floor:N0}, and {least:N0} is enough"));
        }

        await FindUnmarkedAsync(cancellationToken);
        await FindUnnamedAsync(cancellationToken);
        return _result;
    }

    /// <summary>Hours with clicks that are not noted as such. A batch notes its hours before it is complete.</summary>
    private async Task FindUnmarkedAsync(CancellationToken cancellationToken)
    {
        await LeaveUnmarkedAsync(cancellationToken);
        IReadOnlyDictionary<int, bool> standing = await WaitAsync([.. _hours.Select(hour => hour.Chain)], cancellationToken);
        await LeaveUnmarkedAsync(cancellationToken);
        foreach ((int hour, int chain) in _hours.Order())
        {
            if (standing.ContainsKey(chain))
            {
                _result.UnderWay++;
            }
            else if (chains.Contains(chain))
            {
                _result.NoteUnmarked(string.Create(CultureInfo.InvariantCulture, $"hour {Hour(hour)} chain {chain}"));
            }
        }
    }

    private async Task LeaveUnmarkedAsync(CancellationToken cancellationToken)
    {
        int[] hours = [.. _hours.Select(hour => hour.Hour).Distinct().Order()];
        for (int at = 0; at < hours.Length;)
        {
            int from = hours[at];
            foreach (HourMark mark in await ledger.ReadHoursAsync(from, from + HoursTogether, cancellationToken))
            {
                _hours.Remove((mark.Hour, mark.Chain));
            }

            while (at < hours.Length && hours[at] < from + HoursTogether)
            {
                at++;
            }
        }
    }

    /// <summary>Windows that no index names: no list of series has them, and in Cassandra no run of their hour. A name is written with its window, or before.</summary>
    private async Task FindUnnamedAsync(CancellationToken cancellationToken)
    {
        var found = new HashSet<WindowKey>();
        for (int part = 0; part < ledger.UnnamedParts; part++)
        {
            found.Clear(); // a window is in one part
            _progress.Say("parts of the store", part, "windows that no index names are looked for");
            await foreach ((WindowKey key, int? astrayIn) in ledger.FindUnnamedAsync(part, cancellationToken))
            {
                if (astrayIn is null && IsIn(key.Hour) && chains.Contains(key.Chain) && found.Add(key))
                {
                    _result.NoteUnnamed($"{key.Series} hour {Hour(key.Hour)} chain {key.Chain.ToString(CultureInfo.InvariantCulture)}");
                }
            }
        }
    }

    private async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        long rows = 0;
        long read = 0;
        await foreach ((WindowKey key, _) in store.ScanWindowsAsync(cancellationToken))
        {
            Read(ref read);
            rows += IsIn(key.Hour) ? 1 : 0;
        }

        await foreach (DayRow row in store.ScanDaysAsync(cancellationToken))
        {
            Read(ref read);
            rows += IsDayIn(row.Day) ? 1 : 0;
        }

        await foreach (TopList list in store.ScanTopsAsync(cancellationToken))
        {
            Read(ref read);
            rows += IsIn(list.Key) ? list.Entries.Count : 0;
        }

        return rows;
    }

    /// <summary>What seems wrong: hours of day rows, and places of top lists.</summary>
    private async Task<(HashSet<WindowKey> Hours, HashSet<Place> Places)> FindAsync(CancellationToken cancellationToken)
    {
        var wrongHours = new HashSet<WindowKey>();
        var wrongPlaces = new HashSet<Place>();
        var floors = new Dictionary<TopKey, long>();
        var entries = new Dictionary<Place, long>();
        bool withTops = rules.Rollups.Contains("target");
        long read = 0;
        await foreach (TopList list in store.ScanTopsAsync(cancellationToken))
        {
            Read(ref read);
            if (!withTops || !IsIn(list.Key))
            {
                continue;
            }

            floors[list.Key] = list.Floor;
            long least = list.Entries.Count < TopLists.DefaultEntries ? 0 : list.Entries.Min(entry => entry.Clicks);
            if (_part == 0 && list.Floor > least)
            {
                _floors[list.Key] = (list.Floor, least);
            }

            foreach (TopEntry entry in list.Entries)
            {
                var place = new Place(list.Key, entry.Id);
                if (IsOfPart(place.Series) && !entries.TryAdd(place, entry.Clicks))
                {
                    wrongPlaces.Add(place); // listed twice
                }
            }
        }

        var windows = new Dictionary<WindowKey, long[]>();
        await foreach ((WindowKey key, WindowRow row) in store.ScanWindowsAsync(cancellationToken))
        {
            Read(ref read);
            if (!IsIn(key.Hour) || !IsOfPart(key.Series))
            {
                continue;
            }

            if (row.IsAstray)
            {
                _result.NoteAstray($"{key.Series} hour {Hour(key.Hour)} chain {key.Chain.ToString(CultureInfo.InvariantCulture)}");
                continue;
            }

            if (row.Quarters.AsSpan().ContainsAnyExcept(0))
            {
                windows[key] = row.Quarters;
                _hours.Add((key.Hour, key.Chain));
                if (!chains.Contains(key.Chain))
                {
                    _result.NoteForeign(key.Chain, $"{key.Series} hour {Hour(key.Hour)}");
                }
            }

            Place(TopSlice.Hour, key.Series, key.Hour, key.Chain, row.Clicks, row.SetAside);
        }

        await foreach (DayRow row in store.ScanDaysAsync(cancellationToken))
        {
            Read(ref read);
            if (!IsDayIn(row.Day) || !IsOfPart(row.Series))
            {
                continue;
            }

            for (int hour = 0; hour < 24; hour++)
            {
                var key = new WindowKey(row.Series, (row.Day * 24) + hour, row.Chain);
                windows.Remove(key, out long[]? window);
                if (IsIn(key.Hour) && !row.Quarters.AsSpan(hour * 4, 4).SequenceEqual(window ?? s_none))
                {
                    wrongHours.Add(key);
                }
            }

            if (row.Quarters.AsSpan().ContainsAnyExcept(0))
            {
                if (!chains.Contains(row.Chain))
                {
                    _result.NoteForeign(row.Chain, $"{row.Series} day {Day(row.Day)}");
                }
            }

            Place(TopSlice.Day, row.Series, row.Day, row.Chain, row.Quarters.Sum(), row.SetAside);
        }

        wrongHours.UnionWith(windows.Keys);
        wrongPlaces.UnionWith(entries.Keys);
        return (wrongHours, wrongPlaces);

        void Place(TopSlice slice, string series, int start, int chain, long clicks, bool setAside)
        {
            if (!withTops || PlaceOf(slice, series, start, chain) is not { } place)
            {
                return;
            }

            // What is set aside is wrong already, and says so.
            bool isListed = entries.Remove(place, out long listed);
            if (!isListed && _floors.TryGetValue(place.Key, out (long Floor, long Least) floor) && clicks > floor.Least)
            {
                _floors[place.Key] = floor with { Least = clicks };
            }

            if (!setAside && (isListed ? listed != clicks : clicks > floors.GetValueOrDefault(place.Key)))
            {
                wrongPlaces.Add(place);
            }
        }
    }

    private void Read(ref long read) => _progress.Say(
        "rows", ++read, _parts == 0 ? "windows, day rows and top lists are counted" : string.Create(CultureInfo.InvariantCulture, $"day rows and top lists, pass {_part + 1} of {_parts}"));

    private async Task ConfirmAsync(HashSet<WindowKey> hours, HashSet<Place> places, CancellationToken cancellationToken)
    {
        Dictionary<WindowKey, Seen> hoursBefore = [];
        Dictionary<Place, Seen> placesBefore = [];
        for (int look = 0; look < MostLooks && hours.Count + places.Count > 0; look++)
        {
            Dictionary<WindowKey, Seen> hoursNow = await LookAsync(hours, cancellationToken);
            Dictionary<Place, Seen> placesNow = await LookAsync(places, cancellationToken);
            Settle(hoursNow, (key, seen) => hoursBefore.TryGetValue(key, out Seen? before) && before == seen ? Verdict.Differs : Verdict.LookAgain);
            Settle(placesNow, (place, seen) => placesBefore.TryGetValue(place, out Seen? before) && before == seen ? Verdict.Differs : Verdict.LookAgain);
            IReadOnlyDictionary<int, bool> standing = await WaitAsync([.. hoursNow.Keys.Select(key => key.Chain), .. placesNow.Keys.Select(place => place.Key.Chain)], cancellationToken);

            // Of a batch that stands still: a day may be ahead of its windows (where it is not written with them), and windows of a list;
            // of a correction, which lowers counts as well, the other way round, too.
            Settle(hoursNow, (key, seen) => !standing.TryGetValue(key.Chain, out bool corrects) ? Verdict.LookAgain
                : (seen.IsAhead || corrects) && patience is not null ? Verdict.UnderWay : Verdict.Differs);
            Settle(placesNow, (place, seen) => !standing.TryGetValue(place.Key.Chain, out bool corrects) ? Verdict.LookAgain
                : seen.IsAhead || corrects ? Verdict.UnderWay : Verdict.Differs);
            (hoursBefore, placesBefore) = (hoursNow, placesNow);
            (hours, places) = ([.. hoursNow.Keys], [.. placesNow.Keys]);
        }

        _result.Changing += hours.Count + places.Count;
    }

    /// <summary>Notes what is known of things that seemed wrong, and leaves those that have to be looked at again.</summary>
    private void Settle<T>(Dictionary<T, Seen> seen, Func<T, Seen, Verdict> verdictOn)
        where T : notnull
    {
        foreach ((T key, Seen what) in seen.ToList())
        {
            Verdict verdict = verdictOn(key, what);
            if (verdict == Verdict.LookAgain)
            {
                continue;
            }

            seen.Remove(key);
            if (verdict == Verdict.UnderWay)
            {
                _result.UnderWay++;
            }
            else if (key is WindowKey hour)
            {
                int day = (int)Math.Floor(hour.Hour / 24.0);
                _result.NoteDay(
                    string.Create(CultureInfo.InvariantCulture, $"{hour.Series} day {Day(day)} chain {hour.Chain}"),
                    string.Create(CultureInfo.InvariantCulture, $"hour {hour.Hour - (day * 24):00} {what.More:+0;-0;±0}"));
            }
            else if (key is Place place)
            {
                _result.NoteList(Name(place.Key), what.Text);
            }
        }
    }

    /// <summary>Hours of day rows that are not as their windows now.</summary>
    private async Task<Dictionary<WindowKey, Seen>> LookAsync(HashSet<WindowKey> hours, CancellationToken cancellationToken)
    {
        var wrong = new Dictionary<WindowKey, Seen>();
        foreach (IGrouping<(int Hour, int Chain), WindowKey> same in hours.GroupBy(key => (key.Hour, key.Chain)))
        {
            foreach (string[] some in same.Select(key => key.Series).Chunk(AtOnce))
            {
                _progress.Say("hours that seem wrong", wrong.Count, "looked at again");
                foreach (StoredWindow stored in await ledger.FindWindowsAsync(some, same.Key.Hour, same.Key.Chain, cancellationToken))
                {
                    long[] day = stored.DayQuarters ?? s_none;
                    long[] window = stored.Row.Quarters;
                    if (!day.AsSpan().SequenceEqual(window))
                    {
                        wrong[stored.Key] = new Seen(
                            string.Create(CultureInfo.InvariantCulture, $"{string.Join(' ', day)} {string.Join(' ', window)} {stored.Row.Stamp}"),
                            day.Zip(window).All(pair => pair.First >= pair.Second),
                            day.Sum() - window.Sum());
                    }
                }
            }
        }

        return wrong;
    }

    /// <summary>Places of top lists that are not as the targets' clicks now.</summary>
    private async Task<Dictionary<Place, Seen>> LookAsync(HashSet<Place> places, CancellationToken cancellationToken)
    {
        var wrong = new Dictionary<Place, Seen>();
        foreach (IGrouping<TopKey, Place> same in places.GroupBy(place => place.Key))
        {
            IReadOnlyDictionary<string, long> clicks = await ClicksAsync(same.Key, [.. same], cancellationToken);
            TopList? list = (await store.ReadTopsAsync(same.Key.Kind, same.Key.Slice, same.Key.Start, same.Key.Start + 1, cancellationToken))
                .FirstOrDefault(list => list.Key == same.Key);
            ILookup<string, long>? entries = list?.Entries.ToLookup(entry => entry.Id, entry => entry.Clicks, StringComparer.Ordinal);
            foreach (Place place in same)
            {
                long has = clicks.GetValueOrDefault(place.Series);
                long[] listed = entries is null ? [] : [.. entries[place.Id]];
                if (listed.Length == 0 ? has <= (list?.Floor ?? 0) : listed.Length == 1 && listed[0] == has)
                {
                    continue;
                }

                string text = list is null ? string.Create(CultureInfo.InvariantCulture, $"not there, and {place.Series} has {has:N0}")
                    : listed.Length == 0 ? string.Create(CultureInfo.InvariantCulture, $"without {place.Series}, which has {has:N0}, and its floor is {list.Floor:N0}")
                    : listed.Length > 1 ? $"{place.Series} {listed.Length} times"
                    : string.Create(CultureInfo.InvariantCulture, $"{place.Series} with {listed[0]:N0}, which has {has:N0}");
                wrong[place] = new Seen(text, listed.All(one => one < has) && listed.Length < 2, 0);
            }
        }

        return wrong;
    }

    /// <summary>The clicks that targets have in a list's hour or day, by series.</summary>
    private async Task<IReadOnlyDictionary<string, long>> ClicksAsync(TopKey key, IReadOnlyList<Place> places, CancellationToken cancellationToken)
    {
        var clicks = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string[] some in places.Select(place => place.Series).Chunk(AtOnce))
        {
            if (key.Slice == TopSlice.Hour)
            {
                foreach (StoredWindow stored in await ledger.FindWindowsAsync(some, key.Start, key.Chain, cancellationToken))
                {
                    clicks[stored.Key.Series] = stored.Row.Clicks;
                }
            }
            else
            {
                foreach (DayRow row in (await store.ReadDaysAsync(some, key.Start, key.Start + 1, cancellationToken)).Where(row => row.Chain == key.Chain))
                {
                    clicks[row.Series] = row.Quarters.Sum();
                }
            }
        }

        return clicks;
    }

    /// <summary>
    /// Waits until what is under way in some chains is complete; answers those where it is not, as long as it was waited for, and
    /// whether it is a correction.
    /// </summary>
    private async Task<IReadOnlyDictionary<int, bool>> WaitAsync(HashSet<int> waiting, CancellationToken cancellationToken)
    {
        if (waiting.Count == 0)
        {
            return new Dictionary<int, bool>();
        }

        Dictionary<int, (string Text, bool Corrects)> first = await PendingAsync(cancellationToken);
        waiting.IntersectWith(first.Keys);
        long began = _time.GetTimestamp();
        while (waiting.Count > 0 && patience is { } longest && _time.GetElapsedTime(began) < longest)
        {
            await Task.Delay(s_pause, _time, cancellationToken);
            Dictionary<int, (string Text, bool Corrects)> now = await PendingAsync(cancellationToken);
            waiting.RemoveWhere(chain => now.GetValueOrDefault(chain) != first[chain]);
        }

        return waiting.ToDictionary(chain => chain, chain => first[chain].Corrects);
    }

    /// <summary>The chains that have a batch, or a correction, under way, and which.</summary>
    private async Task<Dictionary<int, (string Text, bool Corrects)>> PendingAsync(CancellationToken cancellationToken)
    {
        var pending = new Dictionary<int, (string Text, bool Corrects)>();
        await foreach (JsonElement state in states.ReadAsync("chain", cancellationToken))
        {
            JsonElement chain = state.GetProperty("Chain");
            if (chain.TryGetProperty("Pending", out JsonElement batch) && batch.ValueKind == JsonValueKind.Object)
            {
                pending[chain.GetProperty("Chain").GetInt32()] =
                    (batch.GetRawText(), batch.GetProperty("Start").GetInt64() == batch.GetProperty("End").GetInt64());
            }
        }

        return pending;
    }

    private bool IsOfPart(string series) => _parts == 1 || (uint)string.GetHashCode(series, StringComparison.Ordinal) % (uint)_parts == (uint)_part;

    private bool IsIn(int hour) => hour >= _from && hour < _to;

    private bool IsDayIn(int day) => (day + 1L) * 24 > _from && day * 24L < _to;

    private bool IsIn(TopKey key) => key.Slice == TopSlice.Hour ? IsIn(key.Start) : IsDayIn(key.Start);

    private static Place? PlaceOf(TopSlice slice, string series, int start, int chain)
    {
        int colon = series.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && !series.Contains('|', StringComparison.Ordinal) && TargetKinds.TryParseName(series.AsSpan(0, colon), out TargetKind kind)
            ? new Place(new TopKey(kind, slice, start, chain), series[(colon + 1)..])
            : null;
    }

    private static string Name(TopKey list) => string.Create(
        CultureInfo.InvariantCulture,
        $"top {TargetKinds.Plural(list.Kind)} of {(list.Slice == TopSlice.Hour ? $"hour {Hour(list.Start)}" : $"day {Day(list.Start)}")} chain {list.Chain}");

    // Somebody may have invented one that no calendar has.
    private static string Hour(int hour) => Time(hour * 3600L)?.ToString("yyyy-MM-ddTHH'Z'", CultureInfo.InvariantCulture) ?? hour.ToString(CultureInfo.InvariantCulture);

    private static string Day(int day) => Time(day * 86_400L)?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? day.ToString(CultureInfo.InvariantCulture);

    private static DateTimeOffset? Time(long seconds) =>
        seconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds() && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    private enum Verdict
    {
        LookAgain,
        UnderWay,
        Differs,
    }

    /// <summary>A target in a top list, or one that should be there.</summary>
    private readonly record struct Place(TopKey Key, string Id)
    {
        public string Series => $"{TargetKinds.Name(Key.Kind)}:{Id}";
    }

    /// <summary>Something that is not as it should be.</summary>
    /// <param name="Text">What was seen: the same text, the same rows.</param>
    /// <param name="IsAhead">As it is while a batch is under way.</param>
    /// <param name="More">Clicks of the day row less those of the window.</param>
    private sealed record Seen(string Text, bool IsAhead, long More);
}
