using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Tests.Archive;

/// <summary>The record and the index of days in memory, with compare-and-set.</summary>
internal sealed class MemoryArchiveStore : IArchiveDays
{
    private long _version;

    public ArchiveRecord? Record { get; private set; }

    public Dictionary<int, DayIndex> Days { get; private set; } = [];

    public IArchiveRecordStore Open() => new View(this);

    /// <summary>Puts both back to what an action of before says.</summary>
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

    public Task ApplyAsync(int chain, int day, DayChange change, CancellationToken cancellationToken)
    {
        Days[day] = (Days.GetValueOrDefault(day) ?? new DayIndex()).After(change);
        return Task.CompletedTask;
    }

    public Task<DayIndex> ReadAsync(int chain, int day, CancellationToken cancellationToken) => Task.FromResult(Days.GetValueOrDefault(day) ?? new DayIndex());

    private sealed class View(MemoryArchiveStore store) : IArchiveRecordStore
    {
        private long _known;

        public Task<ArchiveRecord?> ReadAsync(CancellationToken cancellationToken)
        {
            _known = store._version;
            return Task.FromResult(store.Record);
        }

        public Task WriteAsync(ArchiveRecord record, CancellationToken cancellationToken)
        {
            if (_known != store._version)
            {
                throw new ChainFencedException("another owner");
            }

            store.Record = record;
            _known = ++store._version;
            return Task.CompletedTask;
        }
    }
}
