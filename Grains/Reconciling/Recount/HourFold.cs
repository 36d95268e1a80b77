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

    /// <summary>What has to be read of a click.</summary>
    public ClickColumns Columns =>
        ClickColumns.Offset | ClickColumns.Duplicate | ClickColumns.ClickId | ClickColumns.Timestamp | ClickColumns.Target
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
/// Folds archived clicks into the counts that an hour should have. A function of the rows and the question: neither their order nor
/// how they are divided matters. Where an hour has more clicks than fit into the memory, they are gone through several times, and
/// each time those of one part are counted, by their hash. Not safe for concurrent use.
/// </summary>
internal sealed class HourFold
{
    private const long MinuteMilliseconds = 60_000;
    private const long HourMilliseconds = 60 * MinuteMilliseconds;
    private const long DayMilliseconds = 24 * HourMilliseconds;

    private readonly HourQuestion _question;
    private readonly HourTable _table;
    private readonly RepeatSet _repeats;
    private readonly HashSet<UInt128>? _candidates;
    private readonly Rollup[] _rollups;
    private readonly int[] _found;
    private readonly byte[] _name = new byte[SeriesName.MaxLength];
    private readonly long _from;
    private readonly long _retention;
    private readonly bool _sameTaken;
    private readonly int _part;
    private readonly int _parts;
    private int _generation = -1;

    /// <param name="question">What is recounted.</param>
    /// <param name="table">Where the counts go.</param>
    /// <param name="repeats">What was seen in this part.</param>
    /// <param name="candidates">Those that may be seen twice; null for all.</param>
    /// <param name="part">Which part of the clicks is counted now, from 0.</param>
    /// <param name="parts">How many there are.</param>
    public HourFold(HourQuestion question, HourTable table, RepeatSet repeats, HashSet<UInt128>? candidates = null, int part = 0, int parts = 1)
    {
        _question = question;
        _table = table;
        _repeats = repeats;
        _candidates = candidates;
        _part = part;
        _parts = parts;
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
        ReadOnlySpan<TargetKind> kinds = CollectionsMarshal.AsSpan(rows.Kinds);
        int ofHour = 0;
        for (int row = 0; row < offsets.Length; row++)
        {
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

            ReadOnlySpan<byte> id = rows.ClickIds[row];
            ReadOnlySpan<byte> target = rows.TargetIds[row];
            bool first = true;
            if (id.IsEmpty)
            {
                // One without an id is like no other.
                if (_part != 0)
                {
                    continue;
                }
            }
            else
            {
                UInt128 hash = ClickHash.Compute(kinds[row], target, id);
                if (IdentifiedClicks.PartOf(hash, _parts) != _part)
                {
                    continue;
                }

                first = (_question.Elsewhere.Count == 0 || !_question.Elsewhere.Contains(hash))
                    && (_candidates?.Contains(hash) == false || _repeats.IsFirst(hash, offset));
            }

            Read++;
            Count(rows, row, kinds[row], target, first, (int)(inHour / MinuteMilliseconds), offset);
        }

        return ofHour;
    }

    private void Count(ClickRows rows, int row, TargetKind kind, ReadOnlySpan<byte> target, bool first, int minute, long offset)
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
        var click = new Click
        {
            Kind = kind,
            TargetId = target,
            CampaignId = rows.CampaignIds.Count > row ? rows.CampaignIds[row] : default,
            Country = rows.Countries.Count > row ? rows.Countries[row] : default,
            Device = rows.Devices.Count > row ? rows.Devices[row] : default,
        };
        if (_generation != _table.Generation)
        {
            Array.Fill(_found, -1);
            _generation = _table.Generation;
        }

        for (int i = 0; i < _rollups.Length; i++)
        {
            int length = SeriesName.Write(_rollups[i], in click, _name);
            if (length == 0)
            {
                continue;
            }

            // Clicks of one target stand side by side in a merged object, and total meets every click.
            ReadOnlySpan<byte> name = _name.AsSpan(0, length);
            int number = _found[i];
            if (number < 0 || !_table.Is(number, name))
            {
                number = _table.Find(name);
                if (number < 0)
                {
                    continue;
                }

                _found[i] = number;
            }

            if (now)
            {
                _table.Add(number, minute);
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
