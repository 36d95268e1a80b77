using ClickAggregator.Grains.Storage;
using CsCheck;

namespace ClickAggregator.Adapters.Tests;

public class CountsAtFinalCodecTests
{
    private static readonly WindowKey s_key = new("ad:42|country:US", 500_000, 3);

    [Fact]
    public void Counts_by_minute_or_quarter_read_back_as_they_were_written() => Gen.Select(
        Gen.Long[0, long.MaxValue],
        Gen.OneOf(Gen.Long[0, 3].Array[60], Gen.Long[0, long.MaxValue].Array[60], Gen.Long[0, long.MaxValue].Array[4])).Sample((version, counts) =>
    {
        CountsAtFinal read = CountsAtFinalCodec.Read(s_key, CountsAtFinalCodec.Write(s_key, new CountsAtFinal(version, counts)))!;
        Assert.Equal(version, read.Version);
        Assert.Equal(counts, read.Counts);
    });

    [Fact]
    public void Bytes_that_were_altered_cut_off_or_stood_in_another_row_tell_nothing()
    {
        byte[] bytes = CountsAtFinalCodec.Write(s_key, new CountsAtFinal(17, [1, 0, 300, 4]));
        foreach (WindowKey other in (WindowKey[])[s_key with { Series = "ad:43|country:US" }, s_key with { Hour = s_key.Hour + 1 }, s_key with { Chain = 4 }])
        {
            Assert.Null(CountsAtFinalCodec.Read(other, bytes));
        }

        for (int at = 0; at < bytes.Length; at++)
        {
            Assert.Null(CountsAtFinalCodec.Read(s_key, bytes.AsSpan(0, at)));
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] altered = [.. bytes];
                altered[at] ^= (byte)(1 << bit);
                Assert.Null(CountsAtFinalCodec.Read(s_key, altered));
            }
        }

        Assert.Null(CountsAtFinalCodec.Read(s_key, [.. bytes, 0]));
    }
}
