using System.Buffers;

namespace ClickAggregator.Clicks.Tests;

public class AllocationTests
{
    [Theory]
    [InlineData("""{"click_id":"20130101-1356999061-1","ad_id":"aAeggG","timestamp":1356999059000,"campaign_id":"bit.ly","country":"US","device":"bot","referrer":"direct"}""")]
    [InlineData("""{"click_id":"\u0061","page_url":"https://Example.com/é?q","timestamp":"2026-11-22T19:21:55.123Z","country":"us","referrer":"https://T.co/x"}""")]
    [InlineData("""{"ad_id":"../"}""")]
    [InlineData("""{"ad_id":"x","ad\u005fid":"y"}""")]
    [InlineData("""{"ad_id":"x","timestamp":0}""")]
    [InlineData("""{"ad_id":"x","referrer":"/"}""")]
    [InlineData("""{"ad_id":"x"}}""")]
    public void Parsing_writing_reading_and_hashing_allocate_nothing(string json)
    {
        byte[] line = System.Text.Encoding.UTF8.GetBytes(json);
        byte[] scratch = new byte[ClickParser.ScratchBytes];
        byte[] record = new byte[ClickRecord.MaxBytes];
        var output = new ArrayBufferWriter<byte>(ClickJson.MaxBytes);
        var rollup = new Rollup(RollupBase.Target, true, true);
        long sum = 0;
        // The first round may allocate: code is compiled, static tables are built.
        Assert.True(Allocated(1) >= 0);
        Assert.Equal(0, Allocated(100));
        Assert.NotEqual(0, sum);

        long Allocated(int rounds)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < rounds; i++)
            {
                if (!ClickParser.TryParse(line, scratch, Parsed.Now, out Click click, out ClickError error))
                {
                    sum += error.CodeName.Length + (error.Field?.Length ?? 0);
                    continue;
                }

                int length = ClickRecord.Write(in click, record);
                sum += ClickRecord.TryRead(record.AsSpan(0, length), out Click read) ? (long)ClickHash.Compute(in read) | 1 : 0;
                sum += TargetPartitioner.Partition(read.Kind, read.TargetId, 16);
                sum += SeriesName.Write(rollup, in read, record);
                output.ResetWrittenCount();
                ClickJson.Write(in click, output);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }
}
