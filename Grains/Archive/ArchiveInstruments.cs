using System.Diagnostics.Metrics;
using ClickAggregator.Grains.Counting;

namespace ClickAggregator.Grains.Archive;

/// <summary>What was archived, and how far it trails. Noted once an entry is complete.</summary>
public sealed class ArchiveInstruments : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _clicks;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _moved;
    private readonly Counter<long> _lost;
    private readonly Counter<long> _erased;

    public ArchiveInstruments(ArchiveBoard board, IMeterFactory? factory = null)
    {
        ArgumentNullException.ThrowIfNull(board);
        _meter = factory?.Create(CountingInstruments.MeterName) ?? new Meter(CountingInstruments.MeterName);
        _clicks = _meter.CreateCounter<long>("clicks_archived_total", "{click}", "clicks archived");
        _bytes = _meter.CreateCounter<long>("clicks_archived_bytes_total", "By", "bytes of the objects that they were archived in");
        _moved = _meter.CreateCounter<long>("clicks_archive_merged_total", "{click}", "archived clicks moved into the table");
        _lost = _meter.CreateCounter<long>("clicks_archive_lost_total", "{record}", "records that the log had lost before they were archived");
        _erased = _meter.CreateCounter<long>("clicks_archive_erased_total", "{click}", "archived clicks that lost their personal fields");
        _meter.CreateObservableGauge("clicks_archive_lag_records", () => board.Lags(one => one.Records), "{record}", "records of the log that are not archived yet");
        _meter.CreateObservableGauge("clicks_archive_lag_seconds", () => board.Lags(one => one.Seconds), "s", "age of the first record that is not archived yet");
        _meter.CreateObservableGauge("clicks_archive_troubled", () => board.Lags(one => one.Detail is null ? 0L : 1L), null, "1 where something holds the archive of a partition up, or is wrong with its manifest");
        _meter.CreateObservableGauge("clicks_archive_manifest_damaged", board.Damaged, "{entry}", "entries of a chain's manifest that are gone or altered, at most 10");
    }

    /// <summary>Notes a complete entry.</summary>
    public void Note(ManifestEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        switch (entry.Cause)
        {
            case ArchiveCause.Write when entry.Adds.Count > 0:
                _clicks.Add(entry.Adds.Sum(one => one.Rows));
                _bytes.Add(entry.Adds.Sum(one => one.Bytes));
                break;
            case ArchiveCause.Merge when entry.Adds.Count > 0:
                _moved.Add(entry.Adds.Sum(one => one.Rows));
                break;
            case ArchiveCause.Erase:
                _erased.Add(entry.Erased);
                break;
            case ArchiveCause.Lost:
                _lost.Add(entry.To - entry.From);
                break;
        }
    }

    public void Dispose() => _meter.Dispose();
}
