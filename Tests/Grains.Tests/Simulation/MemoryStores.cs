using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Tests.Simulation;

/// <summary>The chain's record, with compare-and-set.</summary>
internal sealed class MemoryRecords(World world, ChainFaults faults)
{
    private long _version;

    public ChainRecord? Record { get; set; }

    /// <summary>How each batch was begun: what the recount goes by.</summary>
    public List<BegunBatch> Begun { get; } = [];

    public IChainRecordStore Open() => new View(this);

    private sealed class View(MemoryRecords records) : IChainRecordStore
    {
        private long _known;

        public async Task<ChainRecord?> ReadAsync(CancellationToken cancellationToken)
        {
            (ChainRecord? record, _known) = await records.World.Effect("record read", () => (records.Record, records._version));
            return record;
        }

        public async Task WriteAsync(ChainRecord record, CancellationToken cancellationToken)
        {
            long known = _known;
            _known = await records.World.Effect("record write", () => records.Write(record, known));
        }
    }

    private World World => world;

    private long Write(ChainRecord record, long known)
    {
        if (known != _version && !faults.HasFlag(ChainFaults.NoCompareAndSet))
        {
            world.Fire("fenced");
            throw new ChainFencedException($"version {_version} is stored, not {known}");
        }

        Record = record;
        if (record.Pending is { } pending && pending.End > pending.Start)
        {
            Begun.Add(new BegunBatch(pending, record.DedupFrom));
        }

        return ++_version;
    }
}

internal sealed class MemoryRules(World world) : IRulesStore
{
    private readonly Dictionary<string, CountingRules> _rules = [];

    public Task<CountingRules?> ReadAsync(string id, CancellationToken cancellationToken) =>
        world.Effect("rules read", () => _rules.GetValueOrDefault(id));

    public Task WriteAsync(CountingRules rules, CancellationToken cancellationToken) =>
        world.Effect("rules write", () => _rules[rules.Id] = rules);
}

/// <summary>Window rows ordered by their stamps, with the day slice derived in the same step; and what a batch leaves.</summary>
internal sealed class MemoryWindows(World world, ChainFaults faults) : IBatchStore
{
    private readonly Dictionary<TopKey, long> _topStamps = [];

    public Dictionary<WindowKey, WindowRow> Rows { get; } = [];

    /// <summary>A row deleted by a foreign client of a store that remembers deletes hides all writes up to its stamp.</summary>
    public Dictionary<WindowKey, long> Tombstones { get; } = [];

    public Dictionary<(string Series, int Day), long[]> Days { get; } = [];

    /// <summary>A window's part of the day that a foreign client wrote under a clock ahead hides all writes up to its stamp.</summary>
    public Dictionary<WindowKey, long> DaysAhead { get; } = [];

    /// <summary>Series whose names were deleted from the index of a day.</summary>
    public HashSet<(string Series, int Day)> Unlisted { get; } = [];

    public Dictionary<TopKey, TopList> Tops { get; } = [];

    /// <summary>The hours that batches touched.</summary>
    public HashSet<int> Hours { get; } = [];

    /// <summary>The hours that are open, and the end of the last batch that opened them.</summary>
    public Dictionary<int, long> Opened { get; } = [];

    /// <summary>The hours that corrections say they changed.</summary>
    public HashSet<int> Corrected { get; } = [];

    /// <summary>A window whose clicks could be read when nobody had noted that its hour has some; null for none.</summary>
    public string? Unnoted { get; private set; }

    public static WindowRow Copy(WindowRow row) => new()
    {
        Minutes = row.Minutes is null ? null : [.. row.Minutes],
        Quarters = [.. row.Quarters],
        Upto = row.Upto,
        Stamp = row.Stamp,
        SetAside = row.SetAside,
        Run = row.Run,
        AtFinal = row.AtFinal,
    };

    public IWindowStore Open(WindowKey key) => new View(this, key);

    public Task WriteAsync(BatchRows rows, CancellationToken cancellationToken) => world.Effect("batch write", () =>
    {
        Hours.UnionWith(rows.Hours);
        Corrected.UnionWith(rows.Corrected);
        foreach (int hour in rows.Hours.Union(rows.Opens))
        {
            Opened[hour] = Math.Max(Opened.GetValueOrDefault(hour), rows.Upto);
        }

        foreach (TopList list in rows.Tops)
        {
            if (rows.Stamp > _topStamps.GetValueOrDefault(list.Key) || faults.HasFlag(ChainFaults.NoStamps))
            {
                Tops[list.Key] = list;
                _topStamps[list.Key] = rows.Stamp;
            }
        }

        return true;
    });

    /// <summary>A list that a foreign client wrote, or deleted, under a clock ahead hides all writes up to its stamp.</summary>
    public void PutAhead(TopKey key, TopList? list, long stamp)
    {
        _topStamps[key] = stamp;
        if (list is null)
        {
            Tops.Remove(key);
        }
        else
        {
            Tops[key] = list;
        }
    }

    public Task<TopList?> ReadTopAsync(TopKey key, CancellationToken cancellationToken) =>
        world.Effect("top read", () => Tops.GetValueOrDefault(key));

    public Task<long?> ReadHourAsync(int hour, int chain, CancellationToken cancellationToken) =>
        world.Effect<long?>("hour read", () => Opened.TryGetValue(hour, out long upto) ? upto : null);

    public Task<IReadOnlyDictionary<int, FinalMark>> ReadFinalsAsync(IReadOnlyList<int> hours, int chain, CancellationToken cancellationToken) =>
        world.Effect<IReadOnlyDictionary<int, FinalMark>>("finals read", static () => new Dictionary<int, FinalMark>());

    private long DayClicks(WindowKey key) => Days.TryGetValue((key.Series, key.Hour / 24), out long[]? day) ? day.Sum() : 0;

    private WindowRow Read(WindowKey key)
    {
        WindowRow row = Rows.TryGetValue(key, out WindowRow? stored) ? Copy(stored) : new WindowRow();
        row.DayClicks = DayClicks(key);
        row.DayAgrees = row.Stamp == 0
            || (Days.TryGetValue((key.Series, key.Hour / 24), out long[]? day) && day.AsSpan(key.Hour % 24 * 4, 4).SequenceEqual(row.Quarters));
        return row;
    }

    private long Write(WindowKey key, WindowRow row)
    {
        long stored = Math.Max(Rows.TryGetValue(key, out WindowRow? found) ? found.Stamp : 0, Tombstones.GetValueOrDefault(key));
        if (row.Stamp <= stored && !faults.HasFlag(ChainFaults.NoStamps))
        {
            world.Fire("stale write lost");
            return row.DayClicks;
        }

        // What a correction writes is no batch's. A stamp is about the time of the batch, or an hour ahead behind a foreign write.
        if (row.Run == found?.Run && row.Upto > (found?.Upto ?? 0) && (key.Hour + 3) * 3_600_000L < (row.Stamp / 1000) - 60_000)
        {
            world.Fire("old hour");
            long noted = Opened.GetValueOrDefault(key.Hour);
            Unnoted ??= noted < row.Upto ? $"{key} counts up to {row.Upto}, and its hour is noted up to {noted}" : null;
        }

        Rows[key] = row;
        if (!Days.TryGetValue((key.Series, key.Hour / 24), out long[]? day))
        {
            Days[(key.Series, key.Hour / 24)] = day = new long[96];
        }

        if (row.Run is not null)
        {
            Unlisted.Remove((key.Series, key.Hour / 24));
        }

        if (row.Stamp > DaysAhead.GetValueOrDefault(key))
        {
            row.Quarters.CopyTo(day, key.Hour % 24 * 4);
        }
        else
        {
            world.Fire("part of a day hidden");
        }

        return day.Sum();
    }

    private sealed class View(MemoryWindows windows, WindowKey key) : IWindowStore
    {
        public Task<WindowRow> ReadAsync() => windows.World.Effect("window read", () => windows.Read(key));

        public async Task WriteAsync(WindowRow row)
        {
            WindowRow copy = Copy(row);
            row.DayClicks = await windows.World.Effect("window write", () => windows.Write(key, copy));
        }
    }

    private World World => world;
}
