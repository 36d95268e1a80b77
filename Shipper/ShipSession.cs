using System.Text;
using ClickAggregator.ClickLog;
using ClickAggregator.Shipper.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Shipper;

/// <summary>
/// One transactional producer from its start to its first failure, and the readers of the log that feed it. After an
/// exception it is of no more use.
/// </summary>
internal sealed partial class ShipSession : IDisposable
{
    private const int ChunkBytes = 256 << 10;
    private static readonly TimeSpan s_call = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);
    private readonly PartitionedClickLog _log;
    private readonly ShipperOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _instance;
    private readonly byte[] _key;
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly ClientTrouble _trouble = new();
    private readonly ClickLogReader?[] _readers;
    private readonly ClickMessage _message;
    private readonly long[] _until;
    private ShippedMark?[] _marks = [];
    private bool _isOpen;

    private ShipSession(PartitionedClickLog log, ShipperOptions options, string instance, TimeProvider time, ILogger logger)
    {
        _log = log;
        _options = options;
        _instance = instance;
        _time = time;
        _logger = logger;
        _key = Encoding.UTF8.GetBytes(log.LogId.ToString());
        _readers = new ClickLogReader?[log.Partitions];
        _until = new long[log.Partitions];
        _message = new ClickMessage(options.Format);
        _producer = new ProducerBuilder<byte[], byte[]>(ClientSettings.Producer(options, "click-log-" + log.LogId))
            .SetErrorHandler((client, error) =>
            {
                LogClient(logger, error.Reason);
                _trouble.Hear(client, error);
            })
            .SetLogHandler(_trouble.Hear)
            .Build();
    }

    /// <summary>Per partition: every offset below is committed.</summary>
    public long[] Positions { get; private set; } = [];

    /// <summary>Clicks of the last transaction.</summary>
    public int LastRecords { get; private set; }

    /// <summary>Whether everything that the log held when last looked at is committed.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Every click that was appended before this is committed; milliseconds since the epoch, 0 for unknown.</summary>
    public long AcceptedUntil { get; private set; }

    /// <summary>Step 1 of <see cref="LogShipper"/>.</summary>
    /// <exception cref="ShipperStoppedException">It may not ship.</exception>
    /// <exception cref="KafkaException">Not now.</exception>
    public static ShipSession Connect(
        PartitionedClickLog log, ShipperOptions options, string instance, TimeProvider time, ILogger logger,
        Func<CancellationToken, ValueTask<IReadOnlyList<long>?>> first, CancellationToken cancellationToken)
    {
        if (!options.TopicsAreThere)
        {
            ShipTopics.Ensure(options, logger);
        }

        var positions = new PositionsTopic(options);
        var session = new ShipSession(log, options, instance, time, logger);
        try
        {
            session._trouble.Call(() => session._producer.InitTransactions(s_call));
            ShippedPositions? known = positions.Read(log.LogId.ToString(), cancellationToken);
            IReadOnlyList<long>? begin = ShipNote.Check(ShipNote.Read(options.NoteFile, log.LogId.ToString()), known, options);
            session.Begin(known, begin ?? (known is null ? first(cancellationToken).AsTask().GetAwaiter().GetResult() : null));
            session.Remember(ended: false);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Asks whether another shipper has this log now.</summary>
    /// <exception cref="ShipperStoppedException">It has.</exception>
    public static void ThrowIfReplaced(PartitionedClickLog log, ShipperOptions options, string instance, CancellationToken cancellationToken)
    {
        ShippedPositions? last = new PositionsTopic(options).Read(log.LogId.ToString(), cancellationToken);
        if (last is not null && last.Shipper != instance)
        {
            throw new ShipperStoppedException(
                $"another shipper ({last.Shipper}) has taken over the click log {log.LogId}, at {DateTimeOffset.FromUnixTimeMilliseconds(last.At):yyyy-MM-ddTHH:mm:ssZ}: the data directory was copied, or mounted twice. "
                + "Stop one of the two; a copy needs a log of its own (remove log/ and log-id in it)");
        }
    }

    /// <summary>
    /// Ships what there is in one transaction. Waits up to the commit interval for more, unless somebody waits; and looks
    /// again after a moment where there is nothing.
    /// </summary>
    /// <returns>Whether anything was committed.</returns>
    public bool ShipOne(Func<bool> isUrgent, CancellationToken cancellationToken)
    {
        long began = 0;
        int records = 0;
        long[] positions = [.. Positions];
        ShippedMark?[] marks = [.. _marks];
        while (true)
        {
            bool any = false;
            long looked = _time.GetUtcNow().ToUnixTimeMilliseconds();
            for (int partition = 0; partition < positions.Length && records < _options.MaxTransactionRecords; partition++)
            {
                LogChunk? chunk = Reader(partition, positions[partition]).Read(ChunkBytes);
                if (chunk is not { } some)
                {
                    _until[partition] = looked;
                    continue;
                }

                if (began == 0)
                {
                    Open();
                    began = _time.GetTimestamp();
                }

                any = true;
                positions[partition] = some.To;
                marks[partition] = ShippedMark.OfLast(some) ?? marks[partition];
                _until[partition] = some.Count > 0 ? some.Records[some.Count - 1].AppendTime : _until[partition];
                records += Produce(partition, some, cancellationToken);
            }

            IsAtEnd = !any;
            if (began == 0)
            {
                AcceptedUntil = looked;
                cancellationToken.WaitHandle.WaitOne(s_look);
                return false;
            }

            if (records >= _options.MaxTransactionRecords
                || _time.GetElapsedTime(began) >= _options.CommitInterval
                || (!any && isUrgent()))
            {
                Commit(positions, marks, cancellationToken);
                LastRecords = records;
                AcceptedUntil = _until.Min();
                return true;
            }

            if (!any)
            {
                cancellationToken.WaitHandle.WaitOne(s_look);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Notes beside the log how far it is shipped; before anything more is shipped, and when nothing more will be.</summary>
    public void Remember(bool ended) =>
        new ShipNote(_log.LogId.ToString(), $"{_options.Topic} at {_options.BootstrapServers}", Positions, ended).Write(_options.NoteFile);

    public void Dispose()
    {
        foreach (ClickLogReader? reader in _readers)
        {
            reader?.Dispose();
        }

        if (_isOpen)
        {
            try
            {
                // Else readers of the topic would wait behind it until the broker gives it up.
                _producer.AbortTransaction(TimeSpan.FromSeconds(2));
            }
            catch (KafkaException error)
            {
                LogClient(_logger, error.Error.Reason);
            }
        }

        _producer.Dispose();
    }

    /// <summary>Where to begin; and our name on it, before anything else is shipped.</summary>
    private void Begin(ShippedPositions? known, IReadOnlyList<long>? first)
    {
        if (known is not null && known.Offsets.Length != _log.Partitions)
        {
            throw new ShipperStoppedException(
                $"{_options.PositionsTopicOrDefault} has positions of {known.Offsets.Length} partitions for the click log {_log.LogId}, and the log has {_log.Partitions}: it is not the log that was shipped");
        }

        long[] positions = new long[_log.Partitions];
        for (int partition = 0; partition < positions.Length; partition++)
        {
            (long start, long end) = _log.GetRange(partition);
            long from = known?.Offsets[partition] ?? first?[partition] ?? start;
            if (from > end)
            {
                throw new ShipperStoppedException(
                    $"partition {partition} of the click log {_log.LogId} was shipped up to offset {from}, and ends at {end}: it was restored from an older copy. "
                    + "Bring the newer log back; or remove log/ and log-id, and begin a new one");
            }

            if (known?.Marks?[partition] is { } mark && mark.Differs(_log, partition))
            {
                throw new ShipperStoppedException(
                    $"partition {partition} of the click log {_log.LogId} has another record at offset {mark.Offset} than the one that was shipped: it was restored from an older copy, and written on. "
                    + "What was written since, up to that offset, would never be shipped. Bring the newer log back; or begin a new one (remove log/ and log-id), and give it what was written since (log print)");
            }

            if (from < start)
            {
                // Its segments were removed by hand: nobody removes what is not shipped.
                LogLost(_logger, partition, from, start);
                from = start;
            }

            positions[partition] = from;
        }

        Open();
        Commit(positions, known?.Marks ?? new ShippedMark?[positions.Length], CancellationToken.None);
    }

    private ClickLogReader Reader(int partition, long from) => _readers[partition] ??= _log.OpenReader(partition, from);

    private int Produce(int partition, in LogChunk chunk, CancellationToken cancellationToken)
    {
        int produced = 0;
        try
        {
            for (int n = 0; n < chunk.Count; n++)
            {
                LogRecord record = chunk.Records[n];
                if (record.Length < 0 || !_message.TryMake(chunk.Value(record), out Message<byte[], byte[]>? message))
                {
                    // The click log has said what it lost, and keeps the list of it.
                    LogUnreadable(_logger, partition, record.Offset);
                    continue;
                }

                Send(new TopicPartition(_options.Topic, Partition.Any), message!, cancellationToken);
                produced++;
            }
        }
        finally
        {
            chunk.Return();
        }

        return produced;
    }

    private void Send(TopicPartition to, Message<byte[], byte[]> message, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                _producer.Produce(to, message);
                return;
            }
            catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                // Its bound: the log keeps the clicks meanwhile.
                cancellationToken.ThrowIfCancellationRequested();
                _producer.Poll(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    private void Commit(long[] positions, ShippedMark?[] marks, CancellationToken cancellationToken)
    {
        var record = new ShippedPositions(_instance, _time.GetUtcNow().ToUnixTimeMilliseconds(), positions, marks);
        var message = new Message<byte[], byte[]> { Key = _key, Value = record.ToBytes() };
        Send(new TopicPartition(_options.PositionsTopicOrDefault, 0), message, cancellationToken);
        while (true)
        {
            try
            {
                _producer.CommitTransaction(s_call);
                break;
            }
            catch (KafkaRetriableException) when (!cancellationToken.IsCancellationRequested)
            {
                // The same commit again: it may have happened already, and then this says so.
            }
        }

        _isOpen = false;
        Positions = positions;
        _marks = marks;
    }

    private void Open()
    {
        _producer.BeginTransaction();
        _isOpen = true;
    }

    [LoggerMessage(1311, LogLevel.Debug, "the Kafka client says: {Reason}")]
    private static partial void LogClient(ILogger logger, string reason);

    [LoggerMessage(1312, LogLevel.Critical, "partition {Partition} of the click log: the offsets [{From}, {To}) are gone and were never shipped")]
    private static partial void LogLost(ILogger logger, int partition, long from, long to);

    [LoggerMessage(1313, LogLevel.Error, "partition {Partition} of the click log: the record at offset {Offset} is damaged and is not shipped")]
    private static partial void LogUnreadable(ILogger logger, int partition, long offset);
}
