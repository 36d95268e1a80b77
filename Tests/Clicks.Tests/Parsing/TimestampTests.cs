using System.Globalization;

namespace ClickAggregator.Clicks.Tests.Parsing;

public class TimestampTests
{
    [Theory]
    [InlineData("\"2026-11-22T19:21:55.123Z\"", 1_795_375_315_123)]
    [InlineData("\"2026-11-22T19:21:55.123456789Z\"", 1_795_375_315_123)]
    [InlineData("\"2026-11-22T19:21:55,5Z\"", 1_795_375_315_500)]
    [InlineData("\"2026-11-22T19:21:55Z\"", 1_795_375_315_000)]
    [InlineData("\"2026-11-22T19:21Z\"", 1_795_375_260_000)]
    [InlineData("\"2026-11-22t19:21:55z\"", 1_795_375_315_000)]
    [InlineData("\"2026-11-22T20:21:55+01:00\"", 1_795_375_315_000)]
    [InlineData("\"2026-11-23T01:06:55+0545\"", 1_795_375_315_000)]
    [InlineData("\"2026-11-22T14:21:55-05\"", 1_795_375_315_000)]
    [InlineData("\"2026-11-22T19:21:55-00:00\"", 1_795_375_315_000)]
    [InlineData("\"2026\\u002d11-22T19:21:55Z\"", 1_795_375_315_000)]
    [InlineData("\"2024-02-29T00:00:00Z\"", 1_709_164_800_000)]
    [InlineData("\"2000-01-01T00:00:00Z\"", 946_684_800_000)]
    [InlineData("\"1999-12-31T23:00:00-01:00\"", 946_684_800_000)]
    [InlineData("\"2016-12-31T23:59:60Z\"", 1_483_228_799_999)]
    [InlineData("1795375315123", 1_795_375_315_123)]
    [InlineData("946684800000", 946_684_800_000)]
    [InlineData("1795375615123", 1_795_375_615_123)] // exactly 5 minutes ahead
    [InlineData("\"2026-11-22T19:26:55.123Z\"", 1_795_375_615_123)]
    public void A_good_timestamp_is_read(string json, long expected) =>
        Assert.Equal(expected, Parsed.Click($$"""{"ad_id":"x","timestamp":{{json}}}""").Timestamp);

    [Theory]
    [InlineData("0", "timestamp_in_seconds")]
    [InlineData("-0", "timestamp_in_seconds")]
    [InlineData("1795375315", "timestamp_in_seconds")]
    [InlineData("100000000000", "timestamp_in_seconds")]
    [InlineData("100000000001", "timestamp_too_old")]
    [InlineData("946684799999", "timestamp_too_old")]
    [InlineData("-1", "timestamp_too_old")]
    [InlineData("-99999999999999999999999999", "timestamp_too_old")]
    [InlineData("\"1999-12-31T23:59:59.999Z\"", "timestamp_too_old")]
    [InlineData("\"2000-01-01T00:00:00+00:01\"", "timestamp_too_old")]
    [InlineData("\"0000-01-01T00:00:00Z\"", "timestamp_too_old")]
    [InlineData("1795375615124", "timestamp_in_future")]
    [InlineData("\"2026-11-22T19:26:55.124Z\"", "timestamp_in_future")]
    [InlineData("\"9999-12-31T23:59:59.999Z\"", "timestamp_in_future")]
    [InlineData("253402300799999", "timestamp_in_future")]
    [InlineData("9223372036854775807", "timestamp_in_future")]
    [InlineData("18446744073709551616", "timestamp_in_future")]
    [InlineData("99999999999999999999999999999999", "timestamp_in_future")]
    [InlineData("1795375315123.0", "timestamp_invalid")]
    [InlineData("1.795375315123e12", "timestamp_invalid")]
    [InlineData("1e400", "timestamp_invalid")]
    [InlineData("\"1795375315123\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55.Z\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55.123\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55Z \"", "timestamp_invalid")]
    [InlineData("\" 2026-11-22T19:21:55Z\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22 19:21:55Z\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55ZZ\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55+1:00\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55+01:60\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55+24:00\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:55+01-00\"", "timestamp_invalid")]
    [InlineData("\"2026-13-22T19:21:55Z\"", "timestamp_invalid")]
    [InlineData("\"2026-00-22T19:21:55Z\"", "timestamp_invalid")]
    [InlineData("\"2026-11-31T19:21:55Z\"", "timestamp_invalid")]
    [InlineData("\"2025-02-29T19:21:55Z\"", "timestamp_invalid")]
    [InlineData("\"2100-02-29T19:21:55Z\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T24:00:00Z\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:60:00Z\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:61Z\"", "timestamp_invalid")]
    [InlineData("\"12026-11-22T19:21:55Z\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:5\"", "timestamp_invalid")]
    [InlineData("\"2026-11-22T19:21:\"", "timestamp_invalid")]
    [InlineData("\"yesterday\"", "timestamp_invalid")]
    public void A_bad_timestamp_has_its_own_code(string json, string code)
    {
        ClickError error = Parsed.Error($$"""{"ad_id":"x","timestamp":{{json}}}""");
        Assert.Equal((code, "timestamp"), (error.CodeName, error.Field));
    }

    [Fact]
    public void Every_instant_with_any_offset_reads_as_the_runtime_reads_it() =>
        CsCheck.Check.Sample(
            CsCheck.Gen.Select(
                CsCheck.Gen.Long[946_684_800_000, Parsed.Now],
                CsCheck.Gen.Int[-14 * 60, 14 * 60]),
            (at, offset) =>
            {
                DateTimeOffset time = DateTimeOffset.FromUnixTimeMilliseconds(at).ToOffset(TimeSpan.FromMinutes(offset));
                string text = time.ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", CultureInfo.InvariantCulture);
                return Parsed.Click($$"""{"ad_id":"x","timestamp":"{{text}}"}""").Timestamp == at;
            });
}
