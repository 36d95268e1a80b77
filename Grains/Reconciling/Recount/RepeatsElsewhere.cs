using System.Runtime.InteropServices;
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
    private readonly Dictionary<UInt128, long> _firsts = [];
    private readonly IdentifiedClicks _clicks = new(question);

    /// <summary>Their hashes.</summary>
    public HashSet<UInt128> Found { get; } = [];

    /// <summary>Log time of the latest of this chain's clicks, milliseconds since the epoch.</summary>
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
            _clicks.Columns | ClickColumns.BrokerTime,
            _firsts.Clear,
            rows =>
            {
                int ofHour = _clicks.Find(rows, question.Upto);
                for (int n = 0; n < _clicks.Hashes.Length; n++)
                {
                    long appended = rows.BrokerTimes[_clicks.Rows[n]];
                    Latest = Math.Max(Latest, appended);
                    if (IdentifiedClicks.PartOf(_clicks.Hashes[n], parts) == part)
                    {
                        ref long first = ref CollectionsMarshal.GetValueRefOrAddDefault(_firsts, _clicks.Hashes[n], out bool isKnown);
                        first = isKnown ? Math.Min(first, appended) : appended;
                    }
                }

                return new ValueTask<int>(ofHour);
            },
            cancellationToken);
    }

    /// <summary>Goes through the hour's clicks of another chain.</summary>
    /// <param name="reader">Its clicks.</param>
    /// <param name="other">Its number.</param>
    /// <param name="archived">Its archive must reach so far.</param>
    /// <param name="upto">Only clicks below this offset.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FindAsync(HourReader reader, int other, long archived, long upto, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(
            archived,
            _clicks.Columns | ClickColumns.BrokerTime,
            static () => { },
            rows =>
            {
                int ofHour = _clicks.Find(rows, upto);
                for (int n = 0; n < _clicks.Hashes.Length; n++)
                {
                    long appended = rows.BrokerTimes[_clicks.Rows[n]];
                    if (_firsts.TryGetValue(_clicks.Hashes[n], out long first) && (appended < first || (appended == first && other < chain)))
                    {
                        Found.Add(_clicks.Hashes[n]);
                    }
                }

                return new ValueTask<int>(ofHour);
            },
            cancellationToken);
    }
}
