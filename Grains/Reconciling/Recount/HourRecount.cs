namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>Bounds of one recount: about 110 bytes a series and 30 bytes a click are in memory, and one archived object.</summary>
/// <param name="MaxSeries">Series at a time; more are counted in several passes. At least 2.</param>
/// <param name="MaxClicks">
/// Clicks whose repeats are looked for at once; of more, those alone that may be repeated, and of more than so many of these, one part
/// after the other. At least 1.
/// </param>
/// <param name="MaxReplayed">
/// Clicks at a time that come out of the replay log, about 170 bytes each; more are sent in several parts. At least 1.
/// </param>
public sealed record RecountBounds(int MaxSeries = 400_000, int MaxClicks = 4_000_000, int MaxReplayed = 500_000);

/// <summary>
/// Recounts one hour of one chain, in passes: after each, the table holds the counts of one stretch of series. Not safe for
/// concurrent use.
/// </summary>
internal sealed class HourRecount
{
    private const int BytesPerClick = 30;

    private readonly HourReader _reader;
    private readonly HourQuestion _question;
    private readonly RecountBounds _bounds;
    private readonly long _hourRows;
    private readonly RepeatSet _repeats = new();
    private HashSet<UInt128>? _candidates;
    private int _parts = 1;
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

        bool first = !_begun;
        if (first && _hourRows > _bounds.MaxClicks)
        {
            await FindCandidatesAsync(cancellationToken);
        }

        Table.Begin(first ? 0 : Table.Last + 1);
        _begun = true;
        long read = 0;
        long counted = 0;
        for (int part = 0; part < _parts; part++)
        {
            HourFold? fold = null;
            await _reader.ReadAsync(
                _question.Upto,
                _question.Columns,
                () =>
                {
                    if (_parts == 1)
                    {
                        Table.Clear();
                    }
                    else if (fold is not null)
                    {
                        throw new RecountBrokenOffException();
                    }

                    _repeats.Again();
                    fold = new HourFold(_question, Table, _repeats, _candidates, part, _parts);
                },
                rows => new ValueTask<int>(fold!.Add(rows)),
                cancellationToken);
            if (_repeats.IsDisordered)
            {
                // From the first part on: the table holds what was wrongly counted. What was learned of the order is kept.
                Table.Clear();
                read = counted = 0;
                part = -1;
                continue;
            }

            read += fold!.Read;
            counted += fold.Counted;
        }

        if (first)
        {
            Read = read;
            Counted = counted;
        }

        _done = Table.Last == ulong.MaxValue;
        return true;
    }

    /// <summary>
    /// Of more clicks than fit, repeats are looked for among those alone that may be some. Where even these are too many, as when all
    /// was sent twice, the hour is gone through for one part of its clicks after the other.
    /// </summary>
    private async Task FindCandidatesAsync(CancellationToken cancellationToken)
    {
        RepeatCandidates candidates = null!;
        await _reader.ReadAsync(
            _question.Upto,
            IdentifiedClicks.Columns,
            () => candidates = new RepeatCandidates(_hourRows, (long)_bounds.MaxClicks * BytesPerClick, _bounds.MaxClicks),
            rows => new ValueTask<int>(IdentifiedClicks.Walk(_question, rows, _question.Upto, (hash, _) => candidates.Note(hash))),
            cancellationToken);
        if (candidates.IsTooMany)
        {
            _parts = IdentifiedClicks.PartsOf(_hourRows, _bounds.MaxClicks);
        }
        else
        {
            _candidates = candidates.Found;
        }
    }
}

/// <summary>The hour's objects were merged while it was gone through in parts: from the beginning.</summary>
internal sealed class RecountBrokenOffException(string message = "the archived objects of the hour were merged while they were read; it is recounted")
    : Exception(message);
