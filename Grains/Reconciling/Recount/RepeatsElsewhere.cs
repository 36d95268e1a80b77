using System.Runtime.InteropServices;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Which clicks of an hour another chain took before this one. Where partitions are added, or a log takes the place of another, the
/// clicks of a target go to another chain from then on, and the counting, which remembers the ids of each chain by itself, cannot see
/// that one repeats a click of the chain before. Of all that have one id the one that the logs took first counts, and of two
/// of the same millisecond that of the lower chain: so a repeat that comes late changes nothing of what was counted for the first.
/// </summary>
/// <param name="question">What is recounted.</param>
/// <param name="chain">The chain that is.</param>
/// <remarks>Some 50 bytes a click of the part that is gone through, and of each that was found. Not safe for concurrent use.</remarks>
internal sealed class RepeatsElsewhere(HourQuestion question, int chain)
{
    private const ClickColumns Columns =
        ClickColumns.Offset | ClickColumns.BrokerTime | ClickColumns.Duplicate | ClickColumns.ClickId | ClickColumns.Timestamp | ClickColumns.Target;

    private readonly Dictionary<UInt128, long> _firsts = [];
    private readonly long _retention = question.RetentionDays is int days ? days * 86_400_000L : long.MaxValue;

    /// <summary>Their hashes.</summary>
    public HashSet<UInt128> Found { get; } = [];

    /// <summary>Log time of the latest of this chain's clicks that was read, milliseconds since the epoch.</summary>
    public long Latest { get; private set; }

    /// <summary>Goes through the hour's clicks of this chain; to be called for each part, before the other chains are gone through for it.</summary>
    /// <param name="reader">The hour's clicks.</param>
    /// <param name="part">Which part, from 0.</param>
    /// <param name="parts">How many there are.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task NoteAsync(HourReader reader, int part, int parts, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(
            question.Upto,
            Columns,
            _firsts.Clear,
            rows => new ValueTask<int>(Walk(rows, part, parts, question.Upto, (hash, appended) =>
            {
                Latest = Math.Max(Latest, appended);
                ref long first = ref CollectionsMarshal.GetValueRefOrAddDefault(_firsts, hash, out bool isKnown);
                first = isKnown ? Math.Min(first, appended) : appended;
            })),
            cancellationToken);
    }

    /// <summary>Goes through the hour's clicks of another chain.</summary>
    /// <param name="reader">Its clicks.</param>
    /// <param name="other">Its number.</param>
    /// <param name="archived">Its archive must reach so far.</param>
    /// <param name="upto">Only clicks below this offset.</param>
    /// <param name="part">Which part, from 0.</param>
    /// <param name="parts">How many there are.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FindAsync(HourReader reader, int other, long archived, long upto, int part, int parts, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(
            archived,
            Columns,
            static () => { },
            rows => new ValueTask<int>(Walk(rows, part, parts, upto, (hash, appended) =>
            {
                if (_firsts.TryGetValue(hash, out long first) && (appended < first || (appended == first && other < chain)))
                {
                    Found.Add(hash);
                }
            })),
            cancellationToken);
    }

    /// <summary>Calls with each click of the hour and the part that would count; answers how many are of the hour.</summary>
    private int Walk(ClickRows rows, int part, int parts, long upto, Action<UInt128, long> each)
    {
        int ofHour = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            long time = rows.Timestamps[row];
            if (time / 3_600_000 != question.Hour)
            {
                continue;
            }

            ofHour++;
            ReadOnlySpan<byte> id = rows.ClickIds[row];
            long appended = rows.BrokerTimes[row];
            if (id.IsEmpty || rows.Offsets[row] >= upto || rows.Duplicates[row] || (_retention != long.MaxValue && appended - time > _retention))
            {
                continue;
            }

            UInt128 hash = ClickHash.Compute(rows.Kinds[row], rows.TargetIds[row], id);
            if (parts == 1 || (int)((((ulong)(hash >> 64) >> 32) * (uint)parts) >> 32) == part)
            {
                each(hash, appended);
            }
        }

        return ofHour;
    }
}
