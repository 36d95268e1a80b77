using System.Text;

namespace ClickAggregator.Clicks.Tests.Targets;

public class TargetTests
{
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_gives_the_values_of_Kafkas_Java_client(string key, int hash) =>
        Assert.Equal(hash, TargetPartitioner.Murmur2(Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void The_partition_is_of_kind_and_id_with_the_sign_masked()
    {
        int hash = TargetPartitioner.Murmur2("video:v-1"u8);
        Assert.Equal((hash & int.MaxValue) % 7, TargetPartitioner.Partition(TargetKind.Video, "v-1"u8, 7));
        Assert.Equal(0, TargetPartitioner.Partition(TargetKind.Ad, "x"u8, 1));
    }

    [Fact]
    public void Every_partition_is_used()
    {
        int[] clicks = new int[8];
        for (int i = 0; i < 8000; i++)
        {
            clicks[TargetPartitioner.Partition(TargetKind.Ad, Encoding.UTF8.GetBytes($"ad-{i}"), 8)]++;
        }

        Assert.All(clicks, n => Assert.InRange(n, 800, 1200));
    }

    [Fact]
    public void Kinds_have_a_name_and_a_plural()
    {
        Assert.Equal(["ad", "video", "post", "page", "app"], TargetKinds.All.Select(TargetKinds.Name));
        Assert.Equal(["ads", "videos", "posts", "pages", "apps"], TargetKinds.All.Select(TargetKinds.Plural));
        Assert.All(TargetKinds.All, kind =>
        {
            Assert.True(TargetKinds.TryParse(TargetKinds.Name(kind), out TargetKind byName));
            Assert.True(TargetKinds.TryParse(TargetKinds.Plural(kind), out TargetKind byPlural));
            Assert.Equal((kind, kind), (byName, byPlural));
        });
        Assert.False(TargetKinds.TryParse("", out _));
        Assert.False(TargetKinds.TryParse("Ad", out _));
        Assert.False(TargetKinds.TryParseName("ads", out _));
        Assert.False(TargetKinds.TryParsePlural("ad", out _));
    }

    [Fact]
    public void The_field_of_a_target_has_the_value_of_its_kind() =>
        Assert.All(TargetKinds.All, kind => Assert.Equal(TargetKinds.Name(kind) + "_id", ClickFields.Name((ClickField)kind)));

    [Fact]
    public void Ids_of_bytes_and_of_characters_have_the_same_rule()
    {
        for (int c = 0; c < 256; c++)
        {
            bool expected = char.IsAsciiLetterOrDigit((char)c) || "._~:-".Contains((char)c, StringComparison.Ordinal);
            Assert.Equal(expected, IdRules.IsId(['a', (char)c]));
            Assert.Equal(expected, IdRules.IsId([(byte)'a', (byte)c]));
        }

        foreach ((string id, bool valid) in new[] { ("", false), (".", false), ("..", false), ("...", true), (".a", true) })
        {
            Assert.Equal(valid, IdRules.IsId(id));
            Assert.Equal(valid, IdRules.IsId(Encoding.UTF8.GetBytes(id)));
        }
    }

    [Fact]
    public void The_hash_is_of_kind_target_and_click_id_and_of_nothing_else()
    {
        UInt128 hash = ClickHash.Compute(TargetKind.Ad, "ab"u8, "c"u8);
        Assert.Equal(hash, ClickHash.Compute(new Click
        {
            Kind = TargetKind.Ad,
            TargetId = "ab"u8,
            ClickId = "c"u8,
            Timestamp = 5,
            Country = "US"u8,
        }));
        Assert.NotEqual(hash, ClickHash.Compute(TargetKind.App, "ab"u8, "c"u8));
        Assert.NotEqual(hash, ClickHash.Compute(TargetKind.Ad, "a"u8, "bc"u8));
        Assert.NotEqual(hash, ClickHash.Compute(TargetKind.Ad, "ab"u8, "d"u8));
    }

    // Stored duplicates are found by it after a deploy: the value must never change.
    [Fact]
    public void The_hash_stays_what_it_was() =>
        Assert.Equal("bcf3f1add58e5fe4be90124b5d67af96", ClickHash.Compute(TargetKind.Ad, "a-42"u8, "01JD"u8).ToString("x32", null));
}
