namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>Bounds of one recount: about 110 bytes a series and 30 bytes a click are in memory, and one archived object.</summary>
/// <param name="MaxSeries">Series at a time; more are counted in several passes. At least 2.</param>
/// <param name="MaxClicks">Clicks at a time whose repeats are looked for; more are gone through in several parts. At least 1.</param>
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
    private readonly HourReader _reader;
    private readonly HourQuestion _question;
    private readonly RecountBounds _bounds;
    private readonly long _hourRows;
    private readonly RepeatSet _repeats = new();
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
        Table.Begin(first ? 0 : Table.Last + 1);
        _begun = true;
        int parts = (int)Math.Max(1, (_hourRows + _bounds.MaxClicks - 1) / _bounds.MaxClicks);
        long read = 0;
        long counted = 0;
        for (int part = 0; part < parts; part++)
        {
            HourFold? fold = null;
            await _reader.ReadAsync(
                _question.Upto,
                _question.Columns,
                () =>
                {
                    if (parts == 1)
                    {
                        Table.Clear();
                    }
                    else if (fold is not null)
                    {
                        throw new RecountBrokenOffException();
                    }

                    _repeats.Again();
                    fold = new HourFold(_question, Table, _repeats, part, parts);
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
}

/// <summary>The hour's objects were merged while it was gone through in parts: from the beginning.</summary>
internal sealed class RecountBrokenOffException(string message = "the archived objects of the hour were merged while they were read; it is recounted")
    : Exception(message);
