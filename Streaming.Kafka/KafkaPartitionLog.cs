using System.Runtime.CompilerServices;
using ClickAggregator.Streaming.Kafka.Native;
using ClickAggregator.Streaming.Kafka.Reading;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// A topic of Apache Kafka as a partitioned log: read_committed, partitions assigned by hand, nothing committed, and
/// nothing ever skipped silently. It is the topic with the id that it found first: when the topic is deleted and made
/// again, every reading ends with <see cref="KafkaLogReplacedException"/>, and only <see cref="GetLogIdAsync"/> says
/// what is there now.
/// </summary>
public sealed class KafkaPartitionLog : IPartitionLog, IAsyncDisposable
{
    // As in the click log: large enough to hide the cost of a slab, small enough to be pooled.
    private const int RangeSlabBytes = 4 << 20;

    // A range ends where it was said to end; when only markers are left, the brokers' answer must not wait for more.
    private static readonly TimeSpan s_rangeFetchWait = TimeSpan.FromMilliseconds(10);

    // How often a range read that waits for records looks after its client.
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);

    private readonly KafkaLogOptions _options;
    private readonly IRecordMapping _mapping;
    private readonly TimeProvider _time;
    private readonly ClusterView _cluster;
    private readonly ConsumerPool _followers;
    private readonly ConsumerPool _ranges;
    private readonly Lock _lock = new();
    private TopicId _topic;

    /// <summary>Makes the log; nothing is asked of the brokers before it is used.</summary>
    /// <param name="options">Where the topic is; they must not change any more.</param>
    /// <param name="mapping">What of a record becomes its bytes; by default its value.</param>
    /// <param name="time">The clock for timeouts.</param>
    /// <param name="loggers">Where this log and librdkafka say what happens.</param>
    /// <exception cref="ArgumentException">The options have faults; it names them all.</exception>
    public KafkaPartitionLog(
        KafkaLogOptions options, IRecordMapping? mapping = null, TimeProvider? time = null, ILoggerFactory? loggers = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ThrowIfFaulty(nameof(options));

        ILogger logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<KafkaPartitionLog>();
        var said = new SeldomSaid(time ?? TimeProvider.System);
        _options = options;
        _mapping = mapping ?? RecordValueMapping.Instance;
        _time = time ?? TimeProvider.System;
        _cluster = new ClusterView(options, _time, logger);
        // Ranges are read beside the followers and not with them: a client has one fetch under way for each broker,
        // and while nothing arrives for the followers the broker holds it.
        _followers = Pool(options.FetchWait);
        _ranges = Pool(s_rangeFetchWait);

        ConsumerPool Pool(TimeSpan fetchWait) => new(
            () => new NativeClient(options.Topic, ClientSettings.ForReading(options, fetchWait), said, logger),
            options.KeepClients, _time, logger);
    }

    /// <summary>How many native clients there are now: of the followers, and of the ranges.</summary>
    internal (int Followers, int Ranges) Clients => (_followers.Clients, _ranges.Clients);

    /// <summary>The cluster's id and the id that the topic has now.</summary>
    public async ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken)
    {
        string cluster = await _cluster.ClusterIdAsync(cancellationToken);
        (TopicId topic, _) = await _cluster.TopicAsync(cancellationToken);
        Pin(topic);
        return new LogId($"{cluster}/{topic}");
    }

    public async ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken)
    {
        (TopicId topic, int partitions) = await _cluster.TopicAsync(cancellationToken);
        RequireSame(topic);
        return partitions;
    }

    /// <summary>From the low watermark to the last stable offset: what an open transaction holds back is not in the log yet.</summary>
    public async ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken)
    {
        try
        {
            // The start first, so that it is never above the end; the id last, so that the offsets are of that topic.
            long start = await _cluster.OffsetAsync(partition, OffsetSpec.Earliest(), IsolationLevel.ReadCommitted, cancellationToken);
            // The head before the end, so that a reader at the end knows of nothing before the head that it has not seen.
            long head = await _cluster.OffsetAsync(partition, OffsetSpec.Latest(), IsolationLevel.ReadUncommitted, cancellationToken);
            long end = await _cluster.OffsetAsync(partition, OffsetSpec.Latest(), IsolationLevel.ReadCommitted, cancellationToken);
            await RequireAsync(partition, cancellationToken);
            return new LogRange(start, end) { Head = Math.Max(head, end) };
        }
        catch (KafkaLogException fault) when (fault.Code == ErrorCode.LeaderNotAvailable)
        {
            // Nobody leads a partition that does not exist, either.
            await RequireAsync(partition, cancellationToken);
            throw;
        }
    }

    public async IAsyncEnumerable<Slab> ReadAsync(
        int partition, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LogRange range = await GetRangeAsync(partition, cancellationToken);
        if (from < range.Start || to > range.End || from > to)
        {
            throw new OffsetOutOfRangeException(partition, from, to, range);
        }

        if (from == to)
        {
            yield return Empty(partition, from);
            yield break;
        }

        PartitionFeed feed = Open(_ranges, partition, from);
        try
        {
            while (feed.Position < to)
            {
                yield return await NextAsync(feed, to, cancellationToken);
            }
        }
        finally
        {
            await Task.Run(feed.Dispose, CancellationToken.None);
        }
    }

    /// <summary>Opens a reader; asks the brokers first whether they hold the offset.</summary>
    public async ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken)
    {
        LogRange range = await GetRangeAsync(partition, cancellationToken);
        return from < range.Start || from > range.End
            ? throw new OffsetOutOfRangeException(partition, from, from, range)
            : new KafkaPartitionReader(Open(_followers, partition, from), this);
    }

    /// <summary>Readers that are still open keep their client until they are closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _followers.DisposeAsync();
        await _ranges.DisposeAsync();
        await Task.Run(_cluster.Dispose);
    }

    /// <summary>What to throw when the brokers have said that a position is not in the log.</summary>
    internal async Task<Exception> OutOfRangeAsync(
        int partition, long from, long to, FeedOutOfRangeException fault, CancellationToken cancellationToken)
    {
        LogRange held = await GetRangeAsync(partition, cancellationToken);
        // Within what is held again: the log lost records and has got others since, or a broker is behind.
        return from >= held.Start && from <= held.End
            ? fault.InnerException!
            : new OffsetOutOfRangeException(partition, from, to, held);
    }

    private async ValueTask<Slab> NextAsync(PartitionFeed feed, long to, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (feed.Take(RangeSlabBytes, to) is { } slab)
                {
                    return slab;
                }
            }
            catch (FeedOutOfRangeException fault)
            {
                throw await OutOfRangeAsync(feed.Partition, feed.Position, to, fault, cancellationToken);
            }

            if (_time.GetElapsedTime(started) > _options.StallTimeout)
            {
                throw NativeErrors.ToException(
                    ErrorCode.Local_TimedOut,
                    $"partition {feed.Partition} stood still at offset {feed.Position} for {_options.StallTimeout}, on the way to {to}", null);
            }

            await feed.WaitAsync(s_look, cancellationToken);
        }
    }

    private PartitionFeed Open(ConsumerPool pool, int partition, long from) =>
        new(pool.Rent(partition), Pinned(), partition, from, _mapping);

    private static Slab Empty(int partition, long at) => new(
        partition, at, at, System.Buffers.ArrayPool<byte>.Shared.Rent(1), 0, System.Buffers.ArrayPool<SlabRecord>.Shared.Rent(1), 0);

    private async Task RequireAsync(int partition, CancellationToken cancellationToken)
    {
        (TopicId topic, int partitions) = await _cluster.TopicAsync(cancellationToken);
        RequireSame(topic);
        if (partition < 0 || partition >= partitions)
        {
            throw NativeErrors.ToException(
                ErrorCode.UnknownTopicOrPart, $"topic '{_options.Topic}' has {partitions} partitions, and {partition} is none of them", null);
        }
    }

    private void RequireSame(TopicId found)
    {
        TopicId pinned = Pin(found);
        if (pinned != found)
        {
            throw new KafkaLogReplacedException(_options.Topic, pinned, found);
        }
    }

    // The first id that was ever seen.
    private TopicId Pin(TopicId found)
    {
        lock (_lock)
        {
            return _topic = _topic.IsNone ? found : _topic;
        }
    }

    private TopicId Pinned()
    {
        lock (_lock)
        {
            return _topic;
        }
    }
}
