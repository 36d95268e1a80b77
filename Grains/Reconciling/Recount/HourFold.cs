using System.Collections.Frozen;
using System.Runtime.InteropServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>What is recounted.</summary>
/// <param name="Hour">The hour, since the epoch.</param>
/// <param name="Upto">Only clicks below this offset.</param>
/// <param name="Rollups">The series.</param>
/// <param name="Taken">Which clicks are taken back.</param>
/// <param name="RetentionDays">A click older than this when it was appended does not count; null = all do.</param>
/// <param name="Former">The last finalisation; null for none.</param>
internal sealed record HourQuestion(int Hour, long Upto, RollupSet Rollups, TakenBack Taken, int? RetentionDays = null, FormerCount? Former = null)
{
    /// <summary>Clicks that another chain took first, by their hash (<see cref="RepeatsElsewhere"/>): none of them counts here.</summary>
    public IReadOnlySet<UInt128> Elsewhere { get; init; } = FrozenSet<UInt128>.Empty;

    /// <summary>What has to be read of a click where it is known which ones repeat another.</summary>
    public ClickColumns Columns =>
        ClickColumns.Offset | ClickColumns.Duplicate | ClickColumns.Timestamp | ClickColumns.Target
        | (RetentionDays is null ? 0 : ClickColumns.BrokerTime)
        | (Rollups.Any(rollup => rollup.Base == RollupBase.Campaign) ? ClickColumns.Campaign : 0)
        | (Rollups.Any(rollup => rollup.ByCountry) ? ClickColumns.Country : 0)
        | (Rollups.Any(rollup => rollup.ByDevice) ? ClickColumns.Device : 0)
        | Taken.Columns | (Former?.Taken.Columns ?? 0);
}

/// <summary>How the last finalisation counted.</summary>
/// <param name="Upto">Only clicks below this offset.</param>
/// <param name="Taken">Which clicks were taken back.</param>
internal sealed record FormerCount(long Upto, TakenBack Taken);

/// <summary>
/// Folds archived clicks into the counts that an hour should have. A function of the rows, the question and which clicks repeat another:
/// neither their order nor how they are divided matters. Not safe for concurrent use.
/// </summary>
internal sealed class HourFold
{
    private const long MinuteMilliseconds = 60_000;
    private const long HourMilliseconds = 60 * MinuteMilliseconds;
    private const long DayMilliseconds = 24 * HourMilliseconds;

    private readonly HourQuestion _question;
    private readonly HourTable _table;
    private readonly OffsetSet _repeats;
    private readonly Rollup[] _rollups;
    private readonly int[] _found;
    private readonly byte[] _name = new byte[SeriesName.MaxLength];
    private readonly long _from;
    private readonly long _retention;
    private readonly bool _sameTaken;
    private int _generation = -1;

    /// <param name="question">What is recounted.</param>
    /// <param name="table">Where the counts go.</param>
    /// <param name="repeats">Offsets of clicks that repeat another.</param>
    public HourFold(HourQuestion question, HourTable table, OffsetSet repeats)
    {
        _question = question;
        _table = table;
        _repeats = repeats;
        _rollups = [.. question.Rollups];
        _found = new int[_rollups.Length];
        _from = question.Hour * HourMilliseconds;
        _retention = question.RetentionDays is int days ? days * DayMilliseconds : long.MaxValue;
        _sameTaken = question.Taken.IsEmpty && question.Former?.Taken.IsEmpty != false;
    }

    /// <summary>Clicks of the hour that were looked at, repeats and all.</summary>
    public long Read { get; private set; }

    /// <summary>Clicks that count.</summary>
    public long Counted { get; private set; }

    /// <summary>Adds rows; those of other hours are left out. Answers how many were of the hour, whatever their offset.</summary>
    public int Add(ClickRows rows)
    {
        ReadOnlySpan<long> times = CollectionsMarshal.AsSpan(rows.Timestamps);
        ReadOnlySpan<long> offsets = CollectionsMarshal.AsSpan(rows.Offsets);
        ReadOnlySpan<bool> duplicates = CollectionsMarshal.AsSpan(rows.Duplicates);
        int ofHour = 0;
        bool sameSeries = false;
        for (int row = 0; row < offsets.Length; row++)
        {
            sameSeries = sameSeries && IsOfSameSeries(rows, row);
            long inHour = times[row] - _from;
            if ((ulong)inHour >= HourMilliseconds)
            {
                continue;
            }

            ofHour++;
            long offset = offsets[row];
            if (offset >= _question.Upto || duplicates[row] || (_retention != long.MaxValue && rows.BrokerTimes[row] - times[row] > _retention))
            {
                continue;
            }

            Read++;
            if (!sameSeries || _generation != _table.Generation)
            {
                FindSeries(rows, row);
                sameSeries = true;
            }

            Count(rows, row, first: _repeats.Count == 0 || !_repeats.Contains(offset), (int)(inHour / MinuteMilliseconds), offset);
        }

        return ofHour;
    }

    // Clicks of one target stand side by side in a merged object.
    private static bool IsOfSameSeries(ClickRows rows, int row) =>
        rows.Kinds[row] == rows.Kinds[row - 1] && rows.TargetIds.IsAgain(row) && rows.CampaignIds.IsAgain(row) && rows.Countries.IsAgain(row) && rows.Devices.IsAgain(row);

    /// <summary>Finds the series that a click is of; -1 where it is of none, or of one that lies in another stretch.</summary>
    private void FindSeries(ClickRows rows, int row)
    {
        var click = new Click
        {
            Kind = rows.Kinds[row],
            TargetId = rows.TargetIds[row],
            CampaignId = rows.CampaignIds[row],
            Country = rows.Countries[row],
            Device = rows.Devices[row],
        };
        if (_generation != _table.Generation)
        {
            Array.Fill(_found, -1);
            _generation = _table.Generation;
        }

        for (int i = 0; i < _rollups.Length; i++)
        {
            ReadOnlySpan<byte> name = _name.AsSpan(0, SeriesName.Write(_rollups[i], in click, _name));
            if (name.IsEmpty)
            {
                _found[i] = -1;
            }
            else if (_found[i] < 0 || !_table.Is(_found[i], name))
            {
                // Total meets every click, and the clicks of one target often have one campaign.
                _found[i] = _table.Find(name);
            }
        }
    }

    private void Count(ClickRows rows, int row, bool first, int minute, long offset)
    {
        long time = rows.Timestamps[row];
        bool taken = !_sameTaken && _question.Taken.Covers(rows, row, time);
        bool takenBefore = false;
        bool former = false;
        if (_question.Former is { } last)
        {
            takenBefore = !_sameTaken && last.Taken.Covers(rows, row, time);
            former = first && offset < last.Upto && !takenBefore;
        }

        bool now = first && !taken;
        bool repeat = !first && !taken;
        int byTaking = first ? (takenBefore ? 0 : 1) - (taken ? 0 : 1) : 0;

        // Clicks that count nowhere name their series, too: the stream counts them as they come, and perhaps no index names the window.
        Counted += now ? 1 : 0;
        foreach (int number in _found)
        {
            if (number < 0)
            {
                continue;
            }

            if (now)
            {
                _table.Add(number, minute, offset + 1);
            }

            if (repeat)
            {
                _table.Differ(HourView.WithRepeats, number, minute, 1);
            }

            if (byTaking != 0)
            {
                _table.Differ(HourView.BeforeTaking, number, minute, byTaking);
            }

            if (_question.Former is not null && former != now)
            {
                _table.Differ(HourView.Former, number, minute, former ? 1 : -1);
            }
        }

        _table.Shrink();
    }
}
