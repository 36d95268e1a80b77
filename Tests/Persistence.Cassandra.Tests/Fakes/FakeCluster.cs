using System.Buffers.Binary;
using System.Net;
using System.Text;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Tests.Fakes;

/// <summary>Fake nodes that know of each other, each on an address of the loopback range.</summary>
internal sealed class FakeCluster : IAsyncDisposable
{
    private const string Text = "000d";

    /// <summary>The nodes that the cluster has now.</summary>
    public List<FakeNode> Nodes { get; } = [];

    /// <summary>Answers before the cluster does; null leaves it to the cluster.</summary>
    public Func<FakeRequest, Reply?> On { get; set; } = _ => null;

    /// <summary>The values that a statement asks for, and which of them are its key; by default one int that is the key.</summary>
    public Func<string, (string Name, string Type)[]> Values { get; set; } =
        text => [.. text.Where(character => character == '?').Select((_, index) => ($"v{index}", "0009"))];

    /// <summary>Whether there is a table peers_v2.</summary>
    public bool HasPeersV2 { get; set; } = true;

    public int ReplicationFactor { get; set; } = 1;

    public CqlOptions Options { get; } = new()
    {
        RequestTimeout = TimeSpan.FromSeconds(10),
        ConnectTimeout = TimeSpan.FromSeconds(5),
        ConnectionsPerHost = 1,
        ReconnectDelay = TimeSpan.FromMilliseconds(10),
        ReconnectMaxDelay = TimeSpan.FromMilliseconds(50),
        EventDelay = TimeSpan.FromMilliseconds(1),
        HeartbeatInterval = TimeSpan.FromSeconds(60),
    };

    public FakeNode First => Nodes[0];

    public static FakeCluster Start(int nodes = 1)
    {
        var cluster = new FakeCluster();
        for (int number = 1; number <= nodes; number++)
        {
            cluster.Add(number).Tokens = [(number - 1) * 1000L];
        }

        cluster.Options.ContactPoints.Add("127.0.0.1");
        cluster.Options.Port = cluster.First.Address.Port;
        return cluster;
    }

    public FakeNode Add(int number)
    {
        var node = new FakeNode(this, IPAddress.Parse($"127.0.0.{number}"), Nodes.Count == 0 ? 0 : First.Address.Port);
        node.Start();
        Nodes.Add(node);
        return node;
    }

    public CqlDataSource Connect(ILoggerFactory? loggers = null, TimeProvider? time = null) => CqlDataSource.Create(Options, loggers, time);

    public Reply Answer(FakeRequest request) => On(request) ?? request.Opcode switch
    {
        Opcode.Options => Reply.Of(Opcode.Supported, buffer => buffer.WriteShort(0)),
        Opcode.Startup or Opcode.Register => Reply.Ready,
        Opcode.Query => Query(request),
        Opcode.Prepare => Prepare(request),
        Opcode.Execute or Opcode.Batch => Reply.Void,
        _ => Reply.Error(CqlErrorCode.ProtocolError),
    };

    /// <summary>A statement's first value is its partition key.</summary>
    public Reply Prepare(FakeRequest request, string idSuffix = "")
    {
        (string Name, string Type)[] values = Values(request.Text);
        return values.Length > 0 ? Reply.Prepared(request.Text + idSuffix, values, 0) : Reply.Prepared(request.Text + idSuffix, values);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (FakeNode node in Nodes)
        {
            await node.DisposeAsync();
        }
    }

    public static byte[] Int(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Utf8(string value) => Encoding.UTF8.GetBytes(value);

    public static byte[] Map(params string[] keysAndValues) => Collection(2, keysAndValues);

    private Reply Query(FakeRequest request)
    {
        string text = request.Text;
        if (text.Contains("system.local", StringComparison.Ordinal))
        {
            return Reply.Rows(
                [("data_center", Text), ("rack", Text), ("release_version", Text), ("tokens", "0022000d"), ("schema_version", "000c")],
                [Common(request.Node)]);
        }

        if (text.Contains("system_schema.keyspaces", StringComparison.Ordinal))
        {
            return Reply.Rows(
                [("keyspace_name", Text), ("replication", "0021000d000d")],
                [[Utf8("ks"), Collection(2, "class", "org.apache.cassandra.locator.SimpleStrategy", "replication_factor", $"{ReplicationFactor}")]]);
        }

        if (!text.Contains("system.peers", StringComparison.Ordinal))
        {
            return Reply.Void;
        }

        bool second = text.Contains("peers_v2", StringComparison.Ordinal);
        if (second && !HasPeersV2)
        {
            return Reply.Error(CqlErrorCode.Invalid, "unconfigured table peers_v2");
        }

        (string, string)[] columns = [("data_center", Text), ("rack", Text), ("release_version", Text), ("tokens", "0022000d"), ("schema_version", "000c"),
            ("peer", "0010"), (second ? "native_address" : "rpc_address", "0010"), .. second ? [("native_port", "0009")] : Array.Empty<(string, string)>()];
        return Reply.Rows(columns, [.. Nodes.Where(node => node != request.Node).Select(node => (byte[]?[])
            [.. Common(node), node.Address.Address.GetAddressBytes(), node.Address.Address.GetAddressBytes(), .. second ? [Int(node.Address.Port)] : Array.Empty<byte[]?>()])]);
    }

    private static byte[]?[] Common(FakeNode node) =>
    [
        Utf8(node.DataCenter), Utf8(node.Rack), Utf8("5.0.6"),
        Collection(1, [.. node.Tokens.Select(token => token.ToString(System.Globalization.CultureInfo.InvariantCulture))]),
        node.SchemaVersion.ToByteArray(bigEndian: true),
    ];

    private static byte[] Collection(int each, params string[] elements)
    {
        var buffer = new CqlBuffer();
        buffer.WriteInt(elements.Length / each);
        foreach (string element in elements)
        {
            buffer.WriteBytes(Utf8(element));
        }

        return buffer.Span.ToArray();
    }
}
