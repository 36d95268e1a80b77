using System.Text;
using ClickAggregator.Grains.DeadLetters;
using ClickAggregator.Grains.Tests.Counting;
using ClickAggregator.Grains.Tests.Simulation;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Tests.Chain;

public class DeadLetterTests
{
    private const long Now = 1_384_729_205_000;

    [Fact]
    public void Records_that_hold_no_click_are_set_aside_with_their_offsets_and_the_partition_goes_on()
    {
        using var bench = new ChainBench();
        bench.Append(3);
        Poison(bench);
        bench.Append(3);
        Poison(bench);
        bench.CountToEnd();
        Assert.Equal(6, bench.Total);
        Assert.Equal([3, 7], bench.Letters.All.Select(letter => letter.Offset));
        Assert.All(bench.Letters.All, letter => Assert.Equal(("malformed_json", 2), (letter.Reason, letter.Length)));
        Assert.Equal([9, 9], bench.Letters.All[0].Value);
    }

    [Fact]
    public void They_are_kept_before_their_batch_is_complete_so_a_crash_repeats_them_and_never_loses_one()
    {
        using var bench = new ChainBench();
        bench.Append(3);
        Poison(bench);
        bench.Letters.Fails = true;
        Assert.Throws<IOException>(() => bench.CountToEnd());
        Assert.Equal(0, bench.Records.Record!.Next);
        bench.Letters.Fails = false;
        bench.CountToEnd();
        Assert.Equal(3, bench.Total);
        Assert.Equal([3], bench.Letters.All.Select(letter => letter.Offset));
        bench.CountToEnd();
        Assert.Single(bench.Letters.All);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("{", "malformed_json")]
    [InlineData("[]", "not_an_object")]
    [InlineData("{}", "target_missing")]
    [InlineData("{\"ad_id\":\"a\",\"video_id\":\"v\"}", "target_ambiguous")]
    [InlineData("{\"ad_id\":\"../x\"}", "id_invalid")]
    [InlineData("{\"ad_id\":\"a\",\"ad_id\":\"b\"}", "duplicate_field")]
    [InlineData("{\"ad_id\":\"a\",\"timestamp\":1384729205}", "timestamp_in_seconds")]
    [InlineData("{\"ad_id\":\"a\",\"timestamp\":\"9999-01-01T00:00:00Z\"}", "timestamp_in_future")]
    [InlineData("\u0001\u0001", "malformed_record")]
    public void Each_kind_of_poison_has_its_reason(string value, string reason)
    {
        DeadLetter letter = Assert.Single(Letters(Encoding.UTF8.GetBytes(value)));
        Assert.Equal(reason, letter.Reason);
        Assert.NotEmpty(letter.Message);
    }

    [Fact]
    public void A_record_beyond_the_bound_is_not_parsed_and_kept_in_part()
    {
        byte[] huge = Encoding.UTF8.GetBytes("{\"ad_id\":\"a\",\"x\":\"" + new string('x', 1 << 20) + "\"}");
        DeadLetter letter = Assert.Single(Letters(huge));
        Assert.Equal(("line_too_long", huge.Length, DeadLetter.MaxBytes), (letter.Reason, letter.Length, letter.Value.Length));
    }

    [Fact]
    public void Json_of_other_producers_without_id_and_time_is_no_dead_letter() =>
        Assert.Empty(Letters("{\"ad_id\":\"a\"}"u8.ToArray()));

    private static IReadOnlyList<DeadLetter> Letters(byte[] value)
    {
        Slab slab = FoldSamples.Slab(0, 1, [(0, Now, value)]);
        IReadOnlyList<DeadLetter> letters = new UnreadableRecords().Of(slab, 0, 1);
        slab.Release();
        return letters;
    }

    private static void Poison(ChainBench bench) =>
        bench.Append(new Entry(bench.Log.End, bench.World.Now, null, "", "", bench.World.Now, Damaged: false));
}
