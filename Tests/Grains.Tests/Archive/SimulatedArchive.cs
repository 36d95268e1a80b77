using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Archive;

/// <summary>Objects that are far away: calls fail before and after their effect, and land late. It watches the table at every moment.</summary>
internal sealed class SimulatedObjects(World world, IClickFiles files) : IArchiveObjects
{
    private readonly Dictionary<string, long[]> _table = new(StringComparer.Ordinal);
    private readonly Dictionary<long, int> _seen = [];
    private readonly ClickRows _rows = new();

    public MemoryObjects Now { get; } = new();

    /// <summary>Asked before an entry of the manifest is put there: true where that request is slow.</summary>
    public Func<bool> IsSlow { get; set; } = static () => false;

    /// <summary>Hears of each object that was deleted.</summary>
    public Action<string> Deleted { get; set; } = static _ => { };

    /// <summary>What was wrong at some moment; null for nothing.</summary>
    public string? Wrong { get; private set; }

    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        byte[] bytes = content.ToArray();
        return Slowly(key, "object write", () => Put(key, bytes));
    }

    public Task<bool> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        byte[] bytes = content.ToArray();
        return Slowly(key, "object create", () => !Now.All.ContainsKey(key) && Put(key, bytes));
    }

    public Task<bool> ReplaceAsync(string key, string sha256, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        byte[] bytes = content.ToArray();
        return world.Effect("object replace", () => Now.All.TryGetValue(key, out byte[]? there) && ManifestFormat.Hash(there) == sha256 && Put(key, bytes));
    }

    public Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken) =>
        world.Effect("object read", () => Now.All.GetValueOrDefault(key));

    public Task<byte[]?> ReadAsync(string key, long from, int count, CancellationToken cancellationToken) =>
        world.Effect("object read", () => Now.All.GetValueOrDefault(key)?.Skip((int)from).Take(count).ToArray());

    public async IAsyncEnumerable<ArchivedKey> ListAsync(string prefix, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArchivedKey[] found = await world.Effect("object list", () =>
            Now.All.Where(one => one.Key.StartsWith(prefix, StringComparison.Ordinal) && (after is null || string.CompareOrdinal(one.Key, after) > 0))
                .Select(one => new ArchivedKey(one.Key, one.Value.Length)).ToArray());
        foreach (ArchivedKey one in found)
        {
            yield return one;
        }
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => world.Effect("object delete", () =>
    {
        Now.All.Remove(key);
        Forget(key);
        Deleted(key);
        return true;
    });

    private async Task<bool> Slowly(string key, string what, Func<bool> put)
    {
        if (key.StartsWith("manifest/", StringComparison.Ordinal) && IsSlow())
        {
            var landed = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            world.After(world.Random.Next(100, 60_000), () => landed.SetResult(put()));
            return await landed.Task;
        }

        return await world.Effect(what, put);
    }

    private bool Put(string key, byte[] bytes)
    {
        Now.All[key] = bytes;
        if (key.StartsWith("clicks/", StringComparison.Ordinal))
        {
            Forget(key);
            long[] offsets = [.. files.Read(bytes, _rows, ClickColumns.Offset).SelectMany(_ => _rows.Offsets.ToArray())];
            _table[key] = offsets;
            foreach (long offset in offsets)
            {
                if ((_seen[offset] = _seen.GetValueOrDefault(offset) + 1) > 1)
                {
                    Wrong ??= $"the click at offset {offset} is twice in the table, of late in {key}";
                }
            }
        }

        return true;
    }

    private void Forget(string key)
    {
        if (_table.Remove(key, out long[]? before))
        {
            foreach (long offset in before)
            {
                _seen[offset]--;
            }
        }
    }
}

/// <summary>The record and the index of days: one store, which can be put back to an older copy.</summary>
internal sealed class SimulatedStore(World world, ArchiveFaults faults)
{
    private long _version;

    public ArchiveRecord? Record { get; private set; }

    public Dictionary<int, DayIndex> Days { get; private set; } = [];

    public IArchiveRecordStore Open() => new View(this);

    public IArchiveDays OpenDays() => new DayView(this);

    public Action Copy()
    {
        ArchiveRecord? record = Record;
        var days = new Dictionary<int, DayIndex>(Days);
        return () =>
        {
            Record = record;
            Days = new Dictionary<int, DayIndex>(days);
            _version++;
        };
    }

    private sealed class View(SimulatedStore store) : IArchiveRecordStore
    {
        private long _known;

        public async Task<ArchiveRecord?> ReadAsync(CancellationToken cancellationToken)
        {
            (ArchiveRecord? record, _known) = await store.World.Effect("record read", () => (store.Record, store._version));
            return record;
        }

        public async Task WriteAsync(ArchiveRecord record, CancellationToken cancellationToken)
        {
            long known = _known;
            _known = await store.World.Effect("record write", () => store.Write(record, known));
        }
    }

    private sealed class DayView(SimulatedStore store) : IArchiveDays
    {
        public Task ApplyAsync(int chain, int day, DayChange change, CancellationToken cancellationToken) => store.World.Effect(
            "day write", () => store.Days[day] = (store.Days.GetValueOrDefault(day) ?? new DayIndex()).After(change));

        public Task<DayIndex> ReadAsync(int chain, int day, CancellationToken cancellationToken) =>
            store.World.Effect("day read", () => store.Days.GetValueOrDefault(day) ?? new DayIndex());
    }

    private World World => world;

    private long Write(ArchiveRecord record, long known)
    {
        if (known != _version && !faults.HasFlag(ArchiveFaults.NoCompareAndSet))
        {
            world.Fire("fenced");
            throw new ChainFencedException($"version {_version} is stored, not {known}");
        }

        Record = record;
        return ++_version;
    }
}
