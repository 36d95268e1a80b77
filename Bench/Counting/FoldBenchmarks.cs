using System.Buffers;
using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Streaming;

namespace ClickAggregator.Bench.Counting;

/// <summary>
/// What a click costs in the fold: read the record, look its id up among the millions of the last minutes, add it to
/// its four windows (total, kind, target, campaign). Ads by Zipf's law, one click in a hundred a repeat.
/// </summary>
[MemoryDiagnoser]
public class FoldBenchmarks
{
    private const int Clicks = 100_000;
    private const int SlabRecords = 10_000;
    private const int IdDigits = 16;
    private const long Start = 1_384_729_205_000;
    private readonly List<(int Slab, int At)> _ids = [];
    private readonly List<(byte[] Data, int Length, SlabRecord[] Records)> _slabs = [];
    private ClickFolder _folder = null!;
    private long _round;

    /// <summary>How many ads there are.</summary>
    [Params(10_000, 1_000_000)]
    public int Ads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        double[] cumulative = new double[Ads];
        double sum = 0;
        for (int rank = 0; rank < Ads; rank++)
        {
            cumulative[rank] = sum += 1.0 / (rank + 1);
        }

        byte[] marker = Encoding.ASCII.GetBytes(new string('#', IdDigits));
        byte[] record = new byte[ClickRecord.MaxBytes];
        for (int done = 0; done < Clicks; done += SlabRecords)
        {
            var data = new ArrayBufferWriter<byte>();
            var records = new SlabRecord[SlabRecords];
            for (int n = 0; n < SlabRecords; n++)
            {
                int rank = Array.BinarySearch(cumulative, random.NextDouble() * sum);
                rank = rank < 0 ? ~rank : rank;
                byte[] id = Encoding.ASCII.GetBytes(new string('7', IdDigits));
                var click = new Click
                {
                    Kind = TargetKind.Ad,
                    TargetId = Text($"ad-{rank}"),
                    ClickId = id,
                    CampaignId = Text($"c-{rank % 200}"),
                    UserId = Text($"u-{random.Next(1_000_000)}"),
                    Timestamp = Start,
                    ReceivedAt = Start,
                };
                int length = ClickRecord.Write(click, record);
                records[n] = new SlabRecord(done + n, Start, data.WrittenCount, length);
                _ids.Add((done / SlabRecords, data.WrittenCount + record.AsSpan(0, length).IndexOf(id)));
                data.Write(record.AsSpan(0, length));
            }

            _slabs.Add((data.WrittenSpan.ToArray(), data.WrittenCount, records));
        }

        _folder = new ClickFolder(
            new CountingRules(RollupSet.Default, CountingRules.DefaultHorizon, CountingRules.DefaultMaxIds), 1,
            new DuplicateSet(CountingRules.DefaultHorizon, CountingRules.DefaultMaxIds));

        // As in the middle of a day: the set of ids is full.
        for (int n = 0; n < (CountingRules.DefaultMaxIds / Clicks) + 5; n++)
        {
            NewIds();
            Fold();
        }
    }

    /// <summary>New ids at later offsets; every hundredth is that of the click before it.</summary>
    [IterationSetup]
    public void NewIds()
    {
        _round++;
        Span<byte> id = stackalloc byte[IdDigits];
        for (int n = 0; n < _ids.Count; n++)
        {
            if (n % 100 != 1)
            {
                ((_round * Clicks) + n).TryFormat(id, out _, "D16", CultureInfo.InvariantCulture);
            }

            id.CopyTo(_slabs[_ids[n].Slab].Data.AsSpan(_ids[n].At));
        }

        foreach ((_, _, SlabRecord[] records) in _slabs)
        {
            for (int n = 0; n < records.Length; n++)
            {
                records[n] = records[n] with { Offset = records[n].Offset + Clicks, Timestamp = Start + _round };
            }
        }
    }

    [Benchmark(OperationsPerInvoke = Clicks)]
    public long Fold()
    {
        foreach ((byte[] data, int length, SlabRecord[] records) in _slabs)
        {
            long from = records[0].Offset;
            _folder.Fold(new Slab(0, from, from + SlabRecords, data, length, records, SlabRecords), from, from + SlabRecords);
        }

        return _folder.Complete().Counted;
    }

    private static byte[] Text(string text) => Encoding.ASCII.GetBytes(text);
}
