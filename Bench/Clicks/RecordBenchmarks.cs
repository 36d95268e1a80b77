using System.Buffers;
using BenchmarkDotNet.Attributes;
using ClickAggregator.Clicks;

namespace ClickAggregator.Bench.Clicks;

/// <summary>What a stored click costs: to write, to read back, to hash, to place, and to show.</summary>
[MemoryDiagnoser]
public class RecordBenchmarks
{
    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];
    private readonly byte[] _target = new byte[ClickRecord.MaxBytes];
    private readonly ArrayBufferWriter<byte> _json = new(ClickJson.MaxBytes);
    private byte[] _record = [];

    [GlobalSetup]
    public void Setup()
    {
        ClickParser.TryParse(SampleClicks.EpochTimestamp, _scratch, SampleClicks.Now, out Click click, out _);
        _record = _target[..ClickRecord.Write(in click, _target)];
    }

    [Benchmark]
    public long Read() => ClickRecord.TryRead(_record, out Click click) ? click.Timestamp : 0;

    [Benchmark]
    public int Read_and_write() => ClickRecord.TryRead(_record, out Click click) ? ClickRecord.Write(in click, _target) : 0;

    [Benchmark]
    public UInt128 Read_and_hash() => ClickRecord.TryRead(_record, out Click click) ? ClickHash.Compute(in click) : default;

    [Benchmark]
    public int Read_and_place() => ClickRecord.TryRead(_record, out Click click)
        ? TargetPartitioner.Partition(click.Kind, click.TargetId, 16)
        : 0;

    [Benchmark]
    public int Read_and_show_as_json()
    {
        _json.ResetWrittenCount();
        if (ClickRecord.TryRead(_record, out Click click))
        {
            ClickJson.Write(in click, _json);
        }

        return _json.WrittenCount;
    }
}
