using System.Runtime.InteropServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// The clicks of an hour that may repeat one another: those that have an id, and would count if they did not. Of some rows at a time;
/// reused, not safe for concurrent use.
/// </summary>
/// <param name="question">What is recounted.</param>
internal sealed class IdentifiedClicks(HourQuestion question)
{
    private const long HourMilliseconds = 3_600_000;

    private readonly long _retention = question.RetentionDays is int days ? days * 86_400_000L : long.MaxValue;
    private UInt128[] _hashes = [];
    private int[] _rows = [];
    private int _count;

    /// <summary>What has to be read of a click.</summary>
    public ClickColumns Columns { get; } =
        ClickColumns.Offset | ClickColumns.Duplicate | ClickColumns.ClickId | ClickColumns.Timestamp | ClickColumns.Target
        | (question.RetentionDays is null ? 0 : ClickColumns.BrokerTime);

    /// <summary>Their hashes.</summary>
    public ReadOnlySpan<UInt128> Hashes => _hashes.AsSpan(0, _count);

    /// <summary>Which rows they are, beside <see cref="Hashes"/>.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, _count);

    /// <summary>Finds those among archived clicks; answers how many rows are of the hour.</summary>
    /// <param name="rows">Archived clicks.</param>
    /// <param name="upto">Only clicks below this offset.</param>
    public int Find(ClickRows rows, long upto)
    {
        if (_rows.Length < rows.Count)
        {
            _hashes = new UInt128[rows.Count];
            _rows = new int[rows.Count];
        }

        ReadOnlySpan<long> times = CollectionsMarshal.AsSpan(rows.Timestamps);
        ReadOnlySpan<long> appended = CollectionsMarshal.AsSpan(rows.BrokerTimes);
        ReadOnlySpan<long> offsets = CollectionsMarshal.AsSpan(rows.Offsets);
        ReadOnlySpan<bool> duplicates = CollectionsMarshal.AsSpan(rows.Duplicates);
        ReadOnlySpan<TargetKind> kinds = CollectionsMarshal.AsSpan(rows.Kinds);
        long from = question.Hour * HourMilliseconds;
        int ofHour = 0;
        _count = 0;
        for (int row = 0; row < times.Length; row++)
        {
            if ((ulong)(times[row] - from) >= HourMilliseconds)
            {
                continue;
            }

            ofHour++;
            ReadOnlySpan<byte> id = rows.ClickIds[row];
            if (!id.IsEmpty && offsets[row] < upto && !duplicates[row] && (_retention == long.MaxValue || appended[row] - times[row] <= _retention))
            {
                _hashes[_count] = ClickHash.Compute(kinds[row], rows.TargetIds[row], id);
                _rows[_count++] = row;
            }
        }

        return ofHour;
    }

    /// <summary>In how many parts so many clicks are gone through where so many fit; at least 1.</summary>
    public static int PartsOf(long clicks, int atOnce) => (int)Math.Max(1, (clicks + atOnce - 1) / atOnce);

    /// <summary>Which of so many parts a click is in, from 0.</summary>
    /// <remarks>By bits that no table of clicks goes by: else all of a part would lie in one stretch of the table, and each be searched for through it.</remarks>
    public static int PartOf(UInt128 hash, int parts) => parts == 1 ? 0 : (int)(((ulong)(uint)(hash >> 64) * (uint)parts) >> 32);
}
