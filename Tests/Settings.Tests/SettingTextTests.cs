using CsCheck;

namespace ClickAggregator.Settings.Tests;

public class SettingTextTests
{
    [Theory]
    [InlineData("256 MiB", 268_435_456)]
    [InlineData("256MiB", 268_435_456)]
    [InlineData("256mib", 268_435_456)]
    [InlineData("1.5 KiB", 1_536)]
    [InlineData("50 GiB", 53_687_091_200)]
    [InlineData("12 B", 12)]
    [InlineData("4096", 4_096)]
    public void A_size_is_read(string text, long bytes)
    {
        Assert.True(SettingText.TryParseSize(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1 MiB")]
    [InlineData("1 MB")]
    [InlineData("0.3 B")]
    [InlineData("99999999999 TiB")]
    [InlineData("1,5 MiB")]
    public void What_is_no_size_is_refused(string text) => Assert.False(SettingText.TryParseSize(text, out _));

    [Theory]
    [InlineData("500 ms", 500)]
    [InlineData("10 m", 600_000)]
    [InlineData("24 h", 86_400_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("1.5 s", 1_500)]
    [InlineData("30", 30_000)]
    [InlineData("00:10:00", 600_000)]
    [InlineData("1.00:00:00", 86_400_000)]
    public void A_duration_is_read(string text, long milliseconds)
    {
        Assert.True(SettingText.TryParseDuration(text, out TimeSpan read));
        Assert.Equal(milliseconds, read.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-5 s")]
    [InlineData("-00:10:00")]
    [InlineData("10 months")]
    [InlineData("9999999999999 d")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(SettingText.TryParseDuration(text, out _));

    [Fact]
    public void What_is_written_is_read_back()
    {
        Gen.Long[1, 1L << 45].Sample(bytes =>
            SettingText.TryParseSize(SettingText.OfSize(bytes), out long read) && read == bytes);
        Gen.Long[0, 1L << 40].Sample(milliseconds =>
            SettingText.TryParseDuration(SettingText.OfDuration(TimeSpan.FromMilliseconds(milliseconds)), out TimeSpan read)
            && read.TotalMilliseconds == milliseconds);
    }
}
