using System.Globalization;
using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Reconciling.Replay;

/// <summary>
/// Counts an hour of one chain by a second, isolated pipeline: its archived clicks go through the replay log, and are read, told from
/// repeats and folded by the counting's own code (<see cref="ClickFolder"/>), with the offsets and times that they first had. Not safe
/// for concurrent use.
/// </summary>
/// <remarks>
/// A try that dies leaves records that nobody believes any more: the next one has another id. Within a try each click is taken once,
/// and all that were sent have to come back as they were sent; else nothing is said of the hour.
/// </remarks>
internal sealed class HourReplay
{
    private const int BatchBytes = 1 << 20;
    private const int BatchRecords = 8192;

    // Windows that wait to be added up are bounded by it.
    private const int MostFolded = 1 << 16;

    // Repeats are told within the whole hour here, however far apart the log took them.
    private static readonly TimeSpan s_horizon = TimeSpan.FromDays(36_500);

    private readonly RecountRequest _request;
    private readonly HourReader _reader;
    private readonly HourQuestion _question;
    private readonly IReplayLog _log;
    private readonly int _partition;
    private readonly int _parts;
    private readonly long _retention;
    private readonly HourTable _table;
    private readonly ReplayRecords _batch = new();

    /// <param name="request">What is recounted.</param>
    /// <param name="reader">The hour's clicks.</param>
    /// <param name="question">Which of them count.</param>
    /// <param name="log">What they are sent through.</param>
    /// <param name="partition">The partition that they first were in.</param>
    /// <param name="hourRows">How many clicks of the hour the archive lists.</param>
    /// <param name="bounds">How much memory it may take.</param>
    /// <param name="seed">Of the table's hashes; as that of the table that it is compared with.</param>
    public HourReplay(RecountRequest request, HourReader reader, HourQuestion question, IReplayLog log, int partition, long hourRows, RecountBounds bounds, long seed)
    {
        _request = request;
        _reader = reader;
        _question = question;
        _log = log;
        _partition = partition;
        _parts = IdentifiedClicks.PartsOf(hourRows, bounds.MaxReplayed);
        _retention = question.RetentionDays is int days ? days * 86_400_000L : long.MaxValue;
        _table = new HourTable(int.MaxValue, seed);
    }

    /// <summary>Hears of clicks that were sent.</summary>
    public Action<long>? Sent { get; init; }

    /// <summary>Counts the stretch of series that a table holds, and holds it against the table.</summary>
    /// <exception cref="RecountsDifferException">The two are not the same in every minute.</exception>
    /// <exception cref="ReplayIncompleteException">Not everything that was sent came back.</exception>
    /// <exception cref="ReplayUnavailableException">The log is away.</exception>
    /// <exception cref="ArchiveDamagedException">See <see cref="HourReader"/>.</exception>
    /// <exception cref="ArchiveUnavailableException">See <see cref="HourReader"/>.</exception>
    public async Task ConfirmAsync(HourTable folded, CancellationToken cancellationToken)
    {
        _table.Begin(folded.First, folded.Last);
        for (int part = 0; part < _parts; part++)
        {
            Fold(await SendAsync(part, cancellationToken), folded);
        }

        if (folded.FirstUnlike(_table) is { } unlike)
        {
            throw new RecountsDifferException(Text(
                $"{unlike.Series} has {unlike.Those} clicks in minute {unlike.Minute} of the hour when its archived clicks are counted as those of the log are, and {unlike.These} when the archived rows are added up"));
        }
    }

    /// <summary>Sends a part of the clicks and answers what came back.</summary>
    private async Task<ReplayedRecords> SendAsync(int part, CancellationToken cancellationToken)
    {
        Guid replay = Guid.Empty;
        long sent = 0;
        UInt128 sum = 0;
        IReplayStretch? stretch = null;
        try
        {
            await _reader.ReadAsync(
                _question.Upto,
                _question.Columns | ClickColumns.ClickId | ClickColumns.BrokerTime,
                () =>
                {
                    // What was sent before the objects changed is not taken.
                    replay = Guid.NewGuid();
                    _batch.Clear();
                    sent = 0;
                    sum = 0;
                },
                async rows =>
                {
                    int ofHour = 0;
                    for (int row = 0; row < rows.Count;)
                    {
                        row = Fill(rows, row, part, replay, ref ofHour, ref sent, ref sum);
                        if (row < rows.Count)
                        {
                            await FlushAsync();
                        }
                    }

                    return ofHour;
                },
                cancellationToken);
            await FlushAsync();
            var back = new ReplayedRecords(replay);
            if (stretch is not null)
            {
                await foreach (Slab slab in stretch.ReadAsync(cancellationToken))
                {
                    back.Take(slab);
                    slab.Release();
                }
            }

            back.Order();
            Sent?.Invoke(sent);
            return back.Count == sent && back.Sum == sum
                ? back
                : throw new ReplayIncompleteException(Text($"{sent} clicks were sent through the replay log, and {back.Count} came back, or not as they were sent"));
        }
        finally
        {
            if (stretch is not null)
            {
                await stretch.DisposeAsync();
            }
        }

        async Task FlushAsync()
        {
            if (_batch.Count > 0)
            {
                stretch ??= await _log.OpenAsync(_request.Chain, cancellationToken);
                await stretch.AppendAsync(_batch, cancellationToken);
                _batch.Clear();
            }
        }
    }

    /// <summary>Takes rows until the batch is full; answers the next row.</summary>
    private int Fill(ClickRows rows, int row, int part, Guid replay, ref int ofHour, ref long sent, ref UInt128 sum)
    {
        for (; row < rows.Count && _batch.Count < BatchRecords && _batch.Bytes < BatchBytes; row++)
        {
            long time = rows.Timestamps[row];
            if (time / 3_600_000 != _question.Hour)
            {
                continue;
            }

            ofHour++;
            long offset = rows.Offsets[row];
            if (offset >= _question.Upto || rows.Duplicates[row] || (_retention != long.MaxValue && rows.BrokerTimes[row] - time > _retention))
            {
                continue;
            }

            // What counting looks at, and no more: whose click it was stays in the archive.
            var click = new Click
            {
                Kind = rows.Kinds[row],
                TargetId = rows.TargetIds[row],
                ClickId = rows.ClickIds[row],
                Timestamp = time,
                CampaignId = rows.CampaignIds.Count > row ? rows.CampaignIds[row] : default,
                Country = rows.Countries.Count > row ? rows.Countries[row] : default,
                Device = rows.Devices.Count > row ? rows.Devices[row] : default,
            };
            UInt128 hash = RecordReader.Hash(in click, offset);
            if (IdentifiedClicks.PartOf(hash, _parts) != part)
            {
                continue;
            }

            bool isTaken = _question.Elsewhere.Contains(hash) || (!_question.Taken.IsEmpty && _question.Taken.Covers(rows, row, time));

            _batch.Add(
                new ReplayEnvelope(replay, _request.Run, _request.Chain, _question.Hour, _partition, offset, rows.BrokerTimes[row], isTaken),
                in click);
            sent++;
            sum += ReplayedRecords.HashOf(_batch[_batch.Count - 1].Span);
        }

        return row;
    }

    private void Fold(ReplayedRecords records, HourTable folded)
    {
        if (records.Count == 0)
        {
            return;
        }

        var rules = new CountingRules(_question.Rollups, s_horizon, records.Count, retentionDays: _question.RetentionDays);
        var folder = new ClickFolder(rules, _request.Chain, new DuplicateSet(rules.Horizon, rules.MaxIds));
        int waiting = 0;
        foreach ((Slab slab, bool taken) in records.Slabs())
        {
            if (taken)
            {
                folder.Remember(slab, slab.From, slab.To);
            }
            else
            {
                folder.Fold(slab, slab.From, slab.To);
            }

            waiting += slab.Count;
            slab.Release();
            if (waiting >= MostFolded)
            {
                waiting = 0;
                Add(folder.Complete(), folded);
            }
        }

        Add(folder.Complete(), folded);
    }

    private void Add(FoldedBatch batch, HourTable folded)
    {
        if (batch.Unreadable + batch.Damaged > 0)
        {
            throw new RecountsDifferException(Text($"{batch.Unreadable + batch.Damaged} archived clicks are none to the counting"));
        }

        foreach (FoldedWindow window in batch.Windows)
        {
            if (window.Slot.Key.Hour != _question.Hour)
            {
                throw new RecountsDifferException(Text($"archived clicks of the hour are counted in {window.Slot.Key}"));
            }

            int number = _table.Find(Encoding.UTF8.GetBytes(window.Slot.Key.Series));
            if (number < 0)
            {
                continue; // of another pass
            }

            foreach (MinuteCount minute in window.Minutes.Span)
            {
                _table.Add(number, minute.Minute, upto: 0, minute.Clicks);
            }
        }

        if (_table.Count > folded.Count)
        {
            string series = _table.Series(Enumerable.Range(0, _table.Count).First(number => folded.Lookup(_table.Series(number)) < 0));
            throw new RecountsDifferException($"{series} has clicks when the archived ones are counted as those of the log are, and none when the archived rows are added up");
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What was sent through the replay log did not come back as it was sent: the same may go well another time.</summary>
internal sealed class ReplayIncompleteException(string message) : Exception(message);

/// <summary>The counting's own code and the recount's say different things of the same clicks: one of them is wrong.</summary>
internal sealed class RecountsDifferException(string message) : Exception(message);
