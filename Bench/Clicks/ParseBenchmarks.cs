using BenchmarkDotNet.Attributes;
using ClickAggregator.Clicks;

namespace ClickAggregator.Bench.Clicks;

/// <summary>Target: at most 0.5 us and no allocation for a click of 150 bytes, parsed and validated.</summary>
[MemoryDiagnoser]
public class ParseBenchmarks
{
    private readonly byte[] _scratch = new byte[ClickParser.ScratchBytes];

    [Benchmark(Baseline = true)]
    public bool Real_click() => Parse(SampleClicks.EpochTimestamp);

    [Benchmark]
    public bool Iso_timestamp_and_url() => Parse(SampleClicks.IsoTimestamp);

    [Benchmark]
    public bool Escapes_and_page_url() => Parse(SampleClicks.Awkward);

    private bool Parse(byte[] json) => ClickParser.TryParse(json, _scratch, SampleClicks.Now, out _, out _)
        ? true
        : throw new InvalidOperationException("the sample is not valid");
}
