using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>What the brokers say of the topic: its id, its partitions, its offsets. Asked each time, nothing is cached.</summary>
internal sealed class ClusterView : IDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);
    private readonly KafkaLogOptions _options;
    private readonly TimeProvider _time;
    private readonly IAdminClient _admin;
    private readonly TopicDescriber _topics;
    private readonly ClientVoice _voice;
    private readonly ClientUse _use = new();

    public ClusterView(KafkaLogOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _voice = new ClientVoice(options.Topic, logger);
        _topics = new TopicDescriber(ClientSettings.ForAdmin(options));
        _admin = new AdminClientBuilder(ClientSettings.ForAdmin(options)).SetLogHandler(_voice.Log).SetErrorHandler(_voice.Error).Build();
    }

    public IAdminClient Admin => _admin;

    public async Task<string> ClusterIdAsync(CancellationToken cancellationToken)
    {
        DescribeClusterResult cluster = await AskAsync(
            () => _admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = _options.RequestTimeout }), cancellationToken);
        return cluster.ClusterId;
    }

    /// <summary>The topic's id and how many partitions it has.</summary>
    public async Task<(TopicId Id, int Partitions)> TopicAsync(CancellationToken cancellationToken)
    {
        (TopicId Id, int Partitions) topic = await AskAsync(
            () => _topics.DescribeAsync(_options.Topic, _options.RequestTimeout, cancellationToken), cancellationToken);
        return topic.Id.IsNone
            ? throw new KafkaLogException(ErrorCode.Local_UnsupportedFeature, "the brokers give topics no id; Kafka 3.1 or later is needed", isTransient: false)
            : topic;
    }

    /// <summary>The low watermark, the high one, or read_committed the last stable offset: what open transactions hold back is not in the log yet.</summary>
    public async Task<long> OffsetAsync(int partition, OffsetSpec which, IsolationLevel isolation, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        while (true)
        {
            try
            {
                return await AskOffsetAsync(partition, which, isolation, cancellationToken);
            }
            catch (KafkaLogException fault)
                when (NativeErrors.IsOfLeader(fault.Code) && _time.GetElapsedTime(started) < _options.RequestTimeout)
            {
                // The leader moved, or the partition is so new that it has none yet, or the client has not heard of it.
                await LookAroundAsync(cancellationToken);
                await Task.Delay(s_look, _time, cancellationToken);
            }
        }
    }

    /// <summary>Asks the brokers, with every fault mapped and the caller's cancellation heeded.</summary>
    public async Task<T> AskAsync<T>(Func<Task<T>> question, CancellationToken cancellationToken)
    {
        try
        {
            return await AskOnceAsync(question, cancellationToken);
        }
        catch (KafkaLogException fault) when (fault.Code == ErrorCode.Local_TimedOut)
        {
            // The client library asks the broker that it last knew as the controller, dead or not, and a client that only
            // asks questions never looks for another.
            if (!await LookAroundAsync(cancellationToken))
            {
                throw _voice.Trouble is { } trouble ? NativeErrors.ToException(fault.Code, $"{fault.Reason}: {trouble}", fault) : fault;
            }

            return await AskOnceAsync(question, cancellationToken);
        }
    }

    /// <summary>Waits for a question that is being put. What was put and has no answer yet gets none.</summary>
    public void Dispose()
    {
        if (_use.Close())
        {
            _admin.Dispose();
            _topics.Dispose();
        }
    }

    /// <summary>Lets the clients hear who is the controller now, which partitions there are, and who leads them.</summary>
    /// <returns>Whether both were answered.</returns>
    private async Task<bool> LookAroundAsync(CancellationToken cancellationToken)
    {
        bool[] answers = await Task.WhenAll(
            Task.Run(() => _use.Call(() => _topics.LookAround(_options.RequestTimeout)), CancellationToken.None),
            Task.Run(() => _use.Call(LookAround), CancellationToken.None)).WaitAsync(cancellationToken);
        return answers.All(answered => answered);
    }

    private bool RequireLeader(int partition)
    {
        KnownLeader.Require(_admin, _options.Topic, partition, _options.RequestTimeout);
        return true;
    }

    private bool LookAround()
    {
        try
        {
            _admin.GetMetadata(_options.RequestTimeout);
            _voice.Reached();
            return true;
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    private async Task<T> AskOnceAsync<T>(Func<Task<T>> question, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _use.Call(question).WaitAsync(cancellationToken);
        }
        catch (ListOffsetsException fault)
        {
            Error error = fault.Result.ResultInfos.Select(each => each.TopicPartitionOffsetError.Error).FirstOrDefault(each => each.IsError, fault.Error);
            throw NativeErrors.ToException(error.Code, $"the offsets of topic '{_options.Topic}' cannot be listed: {error.Reason}", fault);
        }
        catch (CreateTopicsException fault)
        {
            Error error = fault.Results.Select(topic => topic.Error).FirstOrDefault(each => each.IsError, fault.Error);
            throw NativeErrors.ToException(error.Code, $"topic '{_options.Topic}' cannot be created: {error.Reason}", fault);
        }
        catch (DescribeConfigsException fault)
        {
            Error error = fault.Results.Select(each => each.Error).FirstOrDefault(each => each.IsError, fault.Error);
            throw NativeErrors.ToException(error.Code, $"the settings of topic '{_options.Topic}' cannot be read: {error.Reason}", fault);
        }
        catch (KafkaException fault) when (fault.Error.Code == ErrorCode.Local_NoEnt)
        {
            // How the client library says that it found no leader in time.
            throw NativeErrors.ToException(ErrorCode.LeaderNotAvailable, fault.Error.Reason, fault);
        }
        catch (KafkaException fault)
        {
            throw NativeErrors.ToException(fault);
        }
    }

    private async Task<long> AskOffsetAsync(int partition, OffsetSpec which, IsolationLevel isolation, CancellationToken cancellationToken)
    {
        await AskAsync(() => Task.Run(() => _use.Call(() => RequireLeader(partition)), CancellationToken.None), cancellationToken);
        ListOffsetsResult offsets = await AskAsync(
            () => _admin.ListOffsetsAsync(
                [new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(_options.Topic, partition), OffsetSpec = which }],
                new ListOffsetsOptions { IsolationLevel = isolation, RequestTimeout = _options.RequestTimeout }),
            cancellationToken);
        TopicPartitionOffsetError found = offsets.ResultInfos[0].TopicPartitionOffsetError;

        // While a leader dies the client library may answer without an error and without an offset.
        return found.Offset.Value >= 0
            ? found.Offset.Value
            : throw NativeErrors.ToException(
                found.Error.IsError ? found.Error.Code : ErrorCode.LeaderNotAvailable, $"partition {partition} of topic '{_options.Topic}' has no offset to tell now", null);
    }
}
