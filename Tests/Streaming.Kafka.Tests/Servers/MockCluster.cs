using System.Runtime.InteropServices;
using System.Text;
using ClickAggregator.Streaming.Kafka.Native;

namespace ClickAggregator.Streaming.Kafka.Tests.Servers;

/// <summary>The brokers that librdkafka has built in for tests, which fail when they are told to (rdkafka_mock.h).</summary>
internal sealed unsafe class MockCluster : IDisposable
{
    public const short Fetch = 1;
    public const short ListOffsets = 2;

    private readonly ClientHandle _client;
    private readonly nint _cluster;

    public MockCluster(int brokers)
    {
        using ConfHandle conf = ConfHandle.Create();
        Library = NativeLibrary.Load(NativeLibraryResolver.Loaded()!);
        _client = ClientHandle.Create(ClientHandle.Consumer, conf);
        _cluster = ((delegate* unmanaged<nint, int, nint>)Export("rd_kafka_mock_cluster_new"))(_client.DangerousGetHandle(), brokers);
    }

    public string BootstrapServers =>
        NativeErrors.Text(((delegate* unmanaged<nint, byte*>)Export("rd_kafka_mock_cluster_bootstraps"))(_cluster))!;

    private nint Library { get; }

    public void CreateTopic(string topic, int partitions)
    {
        fixed (byte* name = Encoding.ASCII.GetBytes(topic + "\0"))
        {
            Assert.Equal(0, ((delegate* unmanaged<nint, byte*, int, int, int>)Export("rd_kafka_mock_topic_create"))(_cluster, name, partitions, 1));
        }
    }

    public void MoveLeader(string topic, int partition, int broker)
    {
        fixed (byte* name = Encoding.ASCII.GetBytes(topic + "\0"))
        {
            Assert.Equal(0, ((delegate* unmanaged<nint, byte*, int, int, int>)Export("rd_kafka_mock_partition_set_leader"))(_cluster, name, partition, broker));
        }
    }

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
        _client.Dispose();
    }

    private nint Export(string name) => NativeLibrary.GetExport(Library, name);
}
