using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka.Native;

/// <summary>
/// One consumer of librdkafka and the topic it reads: threads, connections, and the queues of the partitions that are
/// read with it. It hears what librdkafka has to say.
/// </summary>
internal sealed unsafe class NativeClient : IDisposable
{
    /// <summary>The context of diagnostics in which librdkafka says which topic id it has taken up.</summary>
    public const string TopicIdDiagnostics = "metadata";

    private readonly ILogger _logger;
    private readonly SeldomSaid _said;
    private readonly byte[] _idLine;
    private readonly GCHandle _self;
    private readonly Lock _lock = new();
    private TopicId _topicId;
    private int _outages;
    private KafkaLogException? _outage;

    public NativeClient(string topic, IReadOnlyDictionary<string, string> settings, SeldomSaid said, ILogger logger)
    {
        _logger = logger;
        _said = said;
        TopicName = topic;
        _idLine = Encoding.UTF8.GetBytes($"Topic {topic} changed id from ");
        _self = GCHandle.Alloc(this);
        try
        {
            using ConfHandle conf = ConfHandle.Create();
            SetAll(conf, settings);
            LibRdKafka.ConfSetOpaque(conf, GCHandle.ToIntPtr(_self));
            LibRdKafka.ConfSetLogCallback(conf, &OnLog);
            LibRdKafka.ConfSetErrorCallback(conf, &OnError);
            Handle = ClientHandle.Create(ClientHandle.Consumer, conf);
            Topic = TopicHandle.Create(Handle, topic);
        }
        catch
        {
            Handle?.Dispose();
            _self.Free();
            throw;
        }
    }

    public string TopicName { get; }

    public ClientHandle Handle { get; }

    public TopicHandle Topic { get; }

    /// <summary>How often all brokers were lost, or refused this client.</summary>
    public int Outages => Volatile.Read(ref _outages);

    /// <summary>What the last outage was.</summary>
    public KafkaLogException? LastOutage => Volatile.Read(ref _outage);

    /// <summary>
    /// The id of the topic that librdkafka fetches by, none before its first answer. librdkafka goes on in a topic that was
    /// made again as if it were the same, and says so only in its diagnostics, before it fetches with the new id: so
    /// whoever takes records out of a queue and looks here afterwards knows which topic they are of.
    /// </summary>
    public TopicId TopicId
    {
        get
        {
            lock (_lock)
            {
                return _topicId;
            }
        }
    }

    /// <exception cref="ArgumentException">One of them is refused.</exception>
    public static void SetAll(ConfHandle conf, IReadOnlyDictionary<string, string> settings)
    {
        foreach ((string name, string value) in settings)
        {
            if (TrySet(conf, name, value) is { } fault)
            {
                throw new ArgumentException($"Kafka's client refuses the setting {name}{(ClientSettings.IsSecret(name) ? "" : $": {fault}")}");
            }
        }
    }

    /// <summary>Sets one setting; what is wrong with it, or null.</summary>
    public static string? TrySet(ConfHandle conf, string name, string value)
    {
        byte* error = stackalloc byte[NativeErrors.TextBytes];
        return LibRdKafka.ConfSet(conf, name, value, error, NativeErrors.TextBytes) == 0 ? null : NativeErrors.Text(error) ?? "";
    }

    /// <summary>Lets librdkafka report what went wrong.</summary>
    public void Serve() => LibRdKafka.Poll(Handle, 0);

    /// <summary>Waits for the client's threads. No partition may be read any more.</summary>
    public void Dispose()
    {
        Topic.Dispose();
        Handle.Dispose();
        // Only now: until its threads have ended, librdkafka may have something to say.
        _self.Free();
    }

    [UnmanagedCallersOnly]
    private static void OnLog(nint client, int level, byte* facility, byte* text)
    {
        if (client == 0 || LibRdKafka.Opaque(client) is var opaque && opaque == 0)
        {
            return;
        }

        // Nothing may escape into native code, and a diagnostic line is not worth a process.
        try
        {
            ((NativeClient)GCHandle.FromIntPtr(opaque).Target!).Hear(
                level, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(facility), MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
        }
        catch (Exception fault)
        {
            System.Diagnostics.Debug.Fail(fault.ToString());
        }
    }

    [UnmanagedCallersOnly]
    private static void OnError(nint client, int code, byte* reason, nint opaque)
    {
        // As above: not even the fault of a logger.
        try
        {
            ((NativeClient)GCHandle.FromIntPtr(opaque).Target!).Fail((ErrorCode)code, NativeErrors.Text(reason));
        }
        catch (Exception fault)
        {
            System.Diagnostics.Debug.Fail(fault.ToString());
        }
    }

    private void Hear(int level, ReadOnlySpan<byte> facility, ReadOnlySpan<byte> text)
    {
        HearTopicId(text);
        LogLevel severity = KafkaEvents.LevelOf(level, facility);
        if (_logger.IsEnabled(severity) && !KafkaEvents.IsNoise(facility, text))
        {
            string place = Encoding.UTF8.GetString(facility);
            string line = Encoding.UTF8.GetString(text);
            KafkaEvents.Native(_logger, severity, place, line);
        }
    }

    private void HearTopicId(ReadOnlySpan<byte> text)
    {
        int at = text.IndexOf(_idLine);
        if (at < 0)
        {
            return;
        }

        ReadOnlySpan<byte> ids = text[(at + _idLine.Length)..];
        int to = ids.IndexOf(" to "u8);
        _ = TopicId.TryParse(ids[(to + 4)..], out TopicId id);
        lock (_lock)
        {
            // An id that could not be read is none, with which nothing is delivered.
            _topicId = id;
        }
    }

    private void Fail(ErrorCode code, string? reason)
    {
        KafkaLogException fault = NativeErrors.ToException(code, reason, null);
        if (!NativeErrors.IsOutage(code))
        {
            KafkaEvents.ClientTrouble(_logger, TopicName, fault);
            return;
        }

        Volatile.Write(ref _outage, fault);
        Interlocked.Increment(ref _outages);
        if (_said.IsDue(code, out long unsaid))
        {
            KafkaEvents.ClientLost(_logger, TopicName, fault.Message, unsaid);
        }
    }
}
