using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;

namespace ClickAggregator.Shipper.Tests.Mocked;

/// <summary>
/// The brokers that librdkafka has built in for tests, which fail when they are told to (rdkafka_mock.h): they take what
/// is produced, know sequences of idempotent producers, and speak the protocol of transactions. They keep no transactions:
/// a record is read as soon as it was taken, clicks and positions alike. So these tests say what is sent how often; that
/// clicks and positions are seen together or not at all is the real broker's to show.
/// </summary>
internal sealed unsafe class MockCluster : IDisposable
{
    public const short Produce = 0;
    public const short InitProducerId = 22;
    public const short AddPartitionsToTransaction = 24;
    public const short EndTransaction = 26;

    /// <summary>As an error: the connection is cut in place of an answer.</summary>
    public const ErrorCode Cut = ErrorCode.Local_Transport;

    private readonly nint _library = NativeLibrary.Load(Loaded());
    private readonly nint _client;
    private readonly nint _cluster;

    public MockCluster(int brokers)
    {
        Brokers = brokers;
        nint conf = ((delegate* unmanaged<nint>)Export("rd_kafka_conf_new"))();
        ((delegate* unmanaged<nint, nint, void>)Export("rd_kafka_conf_set_log_cb"))(conf, 0);
        byte* error = stackalloc byte[512];
        _client = ((delegate* unmanaged<int, nint, byte*, nuint, nint>)Export("rd_kafka_new"))(0, conf, error, 512);
        _cluster = ((delegate* unmanaged<nint, int, nint>)Export("rd_kafka_mock_cluster_new"))(_client, brokers);
        ((delegate* unmanaged<nint, void>)Export("rd_kafka_mock_start_request_tracking"))(_cluster);
    }

    public int Brokers { get; }

    public string BootstrapServers =>
        Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<nint, byte*>)Export("rd_kafka_mock_cluster_bootstraps"))(_cluster))!;

    public void CreateTopic(string topic, int partitions)
    {
        fixed (byte* name = Text(topic))
        {
            Assert.Equal(0, ((delegate* unmanaged<nint, byte*, int, int, int>)Export("rd_kafka_mock_topic_create"))(_cluster, name, partitions, Brokers));
        }
    }

    public void MoveLeader(string topic, int partition, int broker)
    {
        fixed (byte* name = Text(topic))
        {
            Assert.Equal(0, ((delegate* unmanaged<nint, byte*, int, int, int>)Export("rd_kafka_mock_partition_set_leader"))(_cluster, name, partition, broker));
        }
    }

    public void MoveCoordinator(string transactionalId, int broker)
    {
        fixed (byte* type = Text("transaction"))
        fixed (byte* id = Text(transactionalId))
        {
            Assert.Equal(0, ((delegate* unmanaged<nint, byte*, byte*, int, int>)Export("rd_kafka_mock_coordinator_set"))(_cluster, type, id, broker));
        }
    }

    /// <summary>How many requests of a kind the brokers have had.</summary>
    public int Requests(short request)
    {
        nuint count;
        nint* requests = ((delegate* unmanaged<nint, nuint*, nint*>)Export("rd_kafka_mock_get_requests"))(_cluster, &count);
        var kind = (delegate* unmanaged<nint, short>)Export("rd_kafka_mock_request_api_key");
        var destroy = (delegate* unmanaged<nint, void>)Export("rd_kafka_mock_request_destroy");
        int found = 0;
        for (nuint n = 0; n < count; n++)
        {
            found += kind(requests[n]) == request ? 1 : 0;
            destroy(requests[n]);
        }

        NativeMemory.Free(requests);
        return found;
    }

    /// <summary>How long every broker's answers take. What they answer has happened before.</summary>
    public void DelayAnswers(TimeSpan delay) => Assert.Equal(
        0, ((delegate* unmanaged<nint, int, int, int>)Export("rd_kafka_mock_broker_set_rtt"))(_cluster, -1, (int)delay.TotalMilliseconds));

    /// <summary>The next requests of a kind fail with these errors, one each.</summary>
    public void Fail(short request, params ErrorCode[] errors)
    {
        fixed (int* codes = errors.Select(error => (int)error).ToArray())
        {
            ((delegate* unmanaged<nint, short, nuint, int*, void>)Export("rd_kafka_mock_push_request_errors_array"))(_cluster, request, (nuint)errors.Length, codes);
        }
    }

    public void Dispose()
    {
        ((delegate* unmanaged<nint, void>)Export("rd_kafka_mock_cluster_destroy"))(_cluster);
        ((delegate* unmanaged<nint, void>)Export("rd_kafka_destroy"))(_client);
    }

    private static byte[] Text(string text) => Encoding.ASCII.GetBytes(text + "\0");

    // The file that Confluent.Kafka chose: a second copy would have a second set of everything.
    private static string Loaded()
    {
        _ = Library.Version;
        return File.ReadLines("/proc/self/maps")
            .Select(line => line.IndexOf('/', StringComparison.Ordinal) is var at and >= 0 ? line[at..] : "")
            .First(path => Path.GetFileName(path).Contains("librdkafka", StringComparison.Ordinal));
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);
}
