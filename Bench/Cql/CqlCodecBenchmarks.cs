using BenchmarkDotNet.Attributes;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Cluster;
using ClickAggregator.Persistence.Cassandra.Cql.Codecs;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

namespace ClickAggregator.Bench.Cql;

/// <summary>What the client itself costs: a window's row bound and encoded, its token, and a page of such rows read.</summary>
[MemoryDiagnoser]
public class CqlCodecBenchmarks
{
    private const int Rows = 100;
    private const string Series = "ad:123456";

    private static readonly CqlStatement s_put = new("INSERT INTO w (s, d, h, p, n, q, t) VALUES (?, ?, ?, ?, ?, ?, ?)", idempotent: true);
    private readonly CqlBuffer _buffer = new(1 << 16);
    private readonly byte[] _id = new byte[16];
    private readonly List<int> _quarters = [1, 2, 3, 4];
    private byte[] _page = [];
    private CqlCommand _command = null!;

    [GlobalSetup]
    public void Setup()
    {
        _command = Bind();
        var page = new CqlBuffer();
        page.WriteInt(2);
        page.WriteInt(1);
        page.WriteInt(3);
        page.WriteString("clicks");
        page.WriteString("w");
        foreach ((string name, CqlTypeCode type) in new[] { ("s", CqlTypeCode.Varchar), ("p", CqlTypeCode.Int), ("n", CqlTypeCode.Bigint) })
        {
            page.WriteString(name);
            page.WriteShort((int)type);
        }

        page.WriteInt(Rows);
        for (int row = 0; row < Rows; row++)
        {
            page.WriteInt(Series.Length);
            page.WriteText(Series);
            page.WriteInt(4);
            page.WriteInt(row);
            page.WriteInt(8);
            page.WriteLong(row);
        }

        _page = page.Span.ToArray();
    }

    [Benchmark(Description = "bind seven values, one of them a list of four")]
    public CqlCommand Bind() => s_put.Bind(Series, 20_000, 7, 3, 1_234_567L, _quarters, 1_795_392_000_000_000L);

    [Benchmark(Description = "encode an EXECUTE of them into the connection's buffer")]
    public int Encode()
    {
        _buffer.Clear();
        int start = FrameHeader.Begin(_buffer, 1, Opcode.Execute);
        new ExecuteRequest(_id, _command.Values, new QueryParameters(CqlConsistency.LocalQuorum, 1000)).WriteBody(_buffer);
        return FrameHeader.Complete(_buffer, start);
    }

    [Benchmark(Description = "token of a key of two parts")]
    public long Token() => Murmur3.Token(RoutingKey.Of(_command.Values, [0, 1]));

    [Benchmark(Description = "read a page of 100 rows of three columns")]
    public long Read()
    {
        var page = ((RowsResult)CqlResponse.Parse(new Frame(FrameFlags.None, Opcode.Result, _page), "")).Page;
        long sum = 0;
        foreach (CqlRow row in page)
        {
            sum += row.Get<string>("s").Length + row.Get<int>("p") + row.Get<long>("n");
        }

        return sum;
    }
}
