using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Bounds of one recount. In memory are about 120 bytes a series; for clicks that may repeat another 30 bytes for each of
/// <paramref name="MaxClicks"/>, and as much again for the filter that finds them; up to 8 KiB for each that does and stands alone in the log; and
/// one archived object.
/// </summary>
/// <param name="MaxSeries">Series at a time; more are counted in several passes. At least 2.</param>
/// <param name="MaxClicks">
/// Clicks that are looked at more closely at once. Where more than a quarter of them may repeat another, that is all clicks of the hour, one part
/// after the other: where all was sent twice, and in hours of a hundred millions of a chain, whose filter is too small. At least 1.
/// </param>
/// <param name="MaxReplayed">
/// Clicks at a time that come out of the replay log, about 170 bytes each; more are sent in several parts. At least 1.
/// </param>
public sealed record RecountBounds(int MaxSeries = 400_000, int MaxClicks = 4_000_000, int MaxReplayed = 500_000);

/// <summary>
/// Recounts one hour of one chain, in passes: after each, the table holds the counts of one stretch of series. Not safe for
/// concurrent use.
/// </summary>
/// <remarks>
/// Hardly ever is there a click that repeats another and is not marked as one. So all are counted as if there were none, and a filter
/// says meanwhile which of them may be (<see cref="RepeatCandidates"/>). Where some may be, the hour's ids are gone through once more, to
/// find out exactly which ones are (<see cref="RepeatSet"/>); where some are, it is counted again, without them.
/// </remarks>
internal sealed class HourRecount
{
    private const int BytesPerClick = 30;

    private readonly HourReader _reader;
    private readonly HourQuestion _question;
    private readonly RecountBounds _bounds;
    private readonly long _hourRows;
    private readonly IdentifiedClicks _clicks;
    private readonly OffsetSet _repeats = new();
    private bool _done;
    private bool _begun;

    /// <param name="reader">The hour's clicks.</param>
    /// <param name="question">What is recounted.</param>
    /// <param name="hourRows">How many clicks of the hour the archive lists.</param>
    /// <param name="bounds">How much memory it may take.</param>
    /// <param name="seed">Of the table's hashes.</param>
    public HourRecount(HourReader reader, HourQuestion question, long hourRows, RecountBounds bounds, long seed)
    {
        _reader = reader;
        _question = question;
        _bounds = bounds;
        _hourRows = hourRows;
        _clicks = new IdentifiedClicks(question);
        Table = new HourTable(bounds.MaxSeries, seed);
    }

    public HourTable Table { get; }

    /// <summary>Clicks of the hour that were looked at in the first pass, repeats and all.</summary>
    public long Read { get; private set; }

    /// <summary>Clicks that count.</summary>
    public long Counted { get; private set; }

    /// <summary>Counts the next stretch of series; false where there is none.</summary>
    public async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        if (_done)
        {
            return false;
        }

        if (_begun)
        {
            Table.Begin(Table.Last + 1);
            await FoldAsync(cancellationToken);
        }
        else
        {
            _begun = true;
            Table.Begin(0);
            (HourFold fold, HashSet<UInt128>? candidates) = await FoldAllAsync(cancellationToken);
            if (candidates is not { Count: 0 } || _question.Elsewhere.Count > 0)
            {
                await FindRepeatsAsync(candidates, cancellationToken);
                fold = _repeats.Count == 0 ? fold : await FoldAsync(cancellationToken);
            }

            Read = fold.Read;
            Counted = fold.Counted;
        }

        _done = Table.Last == ulong.MaxValue;
        return true;
    }

    /// <summary>Counts all clicks; answers which of them may repeat another, null where they are too many.</summary>
    private async Task<(HourFold Fold, HashSet<UInt128>? Candidates)> FoldAllAsync(CancellationToken cancellationToken)
    {
        HourFold fold = null!;
        RepeatCandidates candidates = null!;
        await _reader.ReadAsync(
            _question.Upto,
            _question.Columns | _clicks.Columns,
            () =>
            {
                Table.Clear();
                fold = new HourFold(_question, Table, _repeats);
                candidates = new RepeatCandidates(_hourRows, (long)_bounds.MaxClicks * BytesPerClick, Math.Max(1, _bounds.MaxClicks / 4));
            },
            rows =>
            {
                _clicks.Find(rows, _question.Upto);
                candidates.Note(_clicks.Hashes);
                return new ValueTask<int>(fold.Add(rows));
            },
            cancellationToken);
        return (fold, candidates.IsTooMany ? null : candidates.Found);
    }

    /// <summary>
    /// Finds out which clicks repeat another. Where too many may, as when all was sent twice, the hour's ids are gone through for one part
    /// of its clicks after the other.
    /// </summary>
    private async Task FindRepeatsAsync(HashSet<UInt128>? candidates, CancellationToken cancellationToken)
    {
        int parts = candidates is null ? IdentifiedClicks.PartsOf(_hourRows, _bounds.MaxClicks) : 1;
        var seen = new RepeatSet(_repeats);
        for (int part = 0; part < parts; part++)
        {
            await _reader.ReadAsync(
                _question.Upto,
                _clicks.Columns,
                seen.Clear,
                rows =>
                {
                    int ofHour = _clicks.Find(rows, _question.Upto);
                    for (int n = 0; n < _clicks.Hashes.Length; n++)
                    {
                        UInt128 hash = _clicks.Hashes[n];
                        long offset = rows.Offsets[_clicks.Rows[n]];
                        if (_question.Elsewhere.Count > 0 && _question.Elsewhere.Contains(hash))
                        {
                            _repeats.Add(offset);
                        }
                        else if (candidates is null ? IdentifiedClicks.PartOf(hash, parts) == part : candidates.Contains(hash))
                        {
                            seen.Note(hash, offset);
                        }
                    }

                    return new ValueTask<int>(ofHour);
                },
                cancellationToken);
        }
    }

    /// <summary>Counts the clicks that repeat no other.</summary>
    private async Task<HourFold> FoldAsync(CancellationToken cancellationToken)
    {
        HourFold fold = null!;
        await _reader.ReadAsync(
            _question.Upto,
            _question.Columns,
            () =>
            {
                Table.Clear();
                fold = new HourFold(_question, Table, _repeats);
            },
            rows => new ValueTask<int>(fold.Add(rows)),
            cancellationToken);
        return fold;
    }
}

/// <summary>The hour's objects were merged while it was gone through in parts: from the beginning.</summary>
internal sealed class RecountBrokenOffException(string message = "the archived objects of the hour were merged while they were read; it is recounted")
    : Exception(message);
