using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using CsCheck;

namespace ClickAggregator.Clicks.Tests.Records;

public class ClickRecordTests
{
    [Fact]
    public void Any_click_survives_json_parse_record_read_json_parse() =>
        Generated.Click.Sample(expected =>
        {
            byte[] json = Json(expected.AsClick());
            Assert.True(TryParse(json, out Click parsed), System.Text.Encoding.UTF8.GetString(json));
            Assert.Equal(expected, Parsed.Of(in parsed));

            byte[] record = Record(in parsed);
            Assert.True(ClickRecord.TryRead(record, out Click read));
            Assert.Equal(expected, Parsed.Of(in read));
            Assert.Equal(Parsed.Now, read.ReceivedAt);

            byte[] again = Json(in read);
            Assert.Equal(json, again);
            using JsonDocument document = JsonDocument.Parse(again);
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        });

    [Fact]
    public void The_bytes_are_what_the_format_says()
    {
        byte[] record = Record(new Click
        {
            Kind = TargetKind.Page,
            TargetId = "v1"u8,
            ClickId = "c"u8,
            Timestamp = 0x0102,
            ReceivedAt = 0x0304,
            CampaignId = "k"u8,
            UserId = "u"u8,
            Country = "US"u8,
            Device = "tv"u8,
            Referrer = "t.co"u8,
            PageUrl = "http://a/"u8,
        });
        byte[] expected =
        [
            1, 4, 2, 1, 1, 1, 2, 4, (byte)'U', (byte)'S', 9, 0,
            2, 1, 0, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, .. "v1ckutvt.cohttp://a/"u8,
        ];
        Assert.Equal(expected, record);
    }

    [Fact]
    public void The_longest_click_fits_the_bounds()
    {
        byte[] id = [.. Enumerable.Repeat((byte)'i', 128)];
        byte[] url = [.. "http://a/"u8, .. Enumerable.Repeat((byte)'"', ClickRecord.MaxPageUrlBytes - 9)];
        var click = new Click
        {
            Kind = TargetKind.Page,
            TargetId = id,
            ClickId = id,
            Timestamp = Parsed.Now,
            CampaignId = id,
            UserId = id,
            Country = "US"u8,
            Device = id.AsSpan(0, 32),
            Referrer = Enumerable.Repeat((byte)'h', 253).ToArray(),
            PageUrl = url,
        };
        Assert.Equal(ClickRecord.MaxBytes, Record(in click).Length);
        Assert.InRange(Json(in click).Length, 1, ClickJson.MaxBytes);
    }

    [Fact]
    public void A_cut_or_lengthened_record_is_refused() =>
        Generated.Click.Sample(click =>
        {
            byte[] record = Record(click.AsClick());
            for (int length = 0; length < record.Length; length++)
            {
                Assert.False(ClickRecord.TryRead(record.AsSpan(0, length), out _));
            }

            Assert.False(ClickRecord.TryRead([.. record, 0], out _));
        }, iter: 200);

    [Fact]
    public void Random_bytes_never_throw() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            if (bytes.Length > 1)
            {
                bytes[0] = ClickRecord.Version;
                bytes[1] = (byte)(bytes[1] % 7);
            }

            ClickRecord.TryRead(bytes, out _);
        }, iter: 50_000);

    // What is read must be writable again, byte for byte: nothing forged slips in.
    [Fact]
    public void A_damaged_record_is_refused_or_is_another_valid_click() =>
        Gen.Select(Generated.Click, Gen.Int[0, 4000], Gen.Byte).Sample((click, at, value) =>
        {
            byte[] record = Record(click.AsClick());
            record[at % record.Length] = value;
            if (ClickRecord.TryRead(record, out Click read))
            {
                Assert.True(IdRules.IsId(read.TargetId));
                Assert.True(read.ClickId.IsEmpty || IdRules.IsId(read.ClickId));
                Assert.True(read.CampaignId.IsEmpty || IdRules.IsId(read.CampaignId));
                Assert.True(read.Device.IsEmpty || IdRules.IsDevice(read.Device));
                Assert.Equal(record, Record(in read));
                using JsonDocument document = JsonDocument.Parse(Json(in read));
            }
        }, iter: 20_000);

    [Theory]
    [InlineData(0, 0)] // version
    [InlineData(0, 2)]
    [InlineData(0, (byte)'{')]
    [InlineData(1, 0)] // kind
    [InlineData(1, 6)]
    [InlineData(8, (byte)'u')] // country
    [InlineData(9, 0)]
    [InlineData(28, (byte)'|')] // target id
    [InlineData(28, (byte)'@')]
    [InlineData(28, 0)]
    [InlineData(28, (byte)'.')]
    public void A_record_that_breaks_a_rule_is_refused(int at, byte value)
    {
        byte[] record = Record(new Click { Kind = TargetKind.Ad, TargetId = "x"u8, Country = "US"u8 });
        Assert.True(ClickRecord.TryRead(record, out _));
        record[at] = value;
        Assert.False(ClickRecord.TryRead(record, out _));
    }

    [Fact]
    public void Dots_are_no_id_in_any_place_of_a_record()
    {
        foreach (int dots in new[] { 1, 2, 3 })
        {
            for (int place = 0; place < 5; place++)
            {
                byte[] record = Record(new Click
                {
                    Kind = TargetKind.Ad,
                    TargetId = Id(0),
                    ClickId = Id(1),
                    CampaignId = Id(2),
                    UserId = Id(3),
                    Device = Id(4),
                    Referrer = ".."u8,
                });
                record.AsSpan(28).Replace((byte)'d', (byte)'.');
                Assert.Equal(dots == 3, ClickRecord.TryRead(record, out _));

                byte[] Id(int at) => [.. Enumerable.Repeat((byte)(at == place ? 'd' : 'x'), at == place ? dots : 5)];
            }
        }
    }

    [Fact]
    public void What_was_never_validated_is_not_written()
    {
        byte[] id = new byte[129];
        Assert.Throws<ArgumentException>(() => Record(default));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Ad }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Ad, TargetId = id }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = (TargetKind)6, TargetId = "x"u8 }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Ad, TargetId = "x"u8, Country = "U"u8 }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Ad, TargetId = "x"u8, Country = "T1"u8 }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Ad, TargetId = "a|b"u8 }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Ad, TargetId = "x"u8, ClickId = ".."u8 }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Ad, TargetId = "x"u8, Referrer = "a b"u8 }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Ad, TargetId = "x"u8, PageUrl = "http://a/"u8 }));
        Assert.Throws<ArgumentException>(() => Record(new Click { Kind = TargetKind.Page, TargetId = "x"u8, PageUrl = "http://a/\n"u8 }));
        Assert.Throws<ArgumentException>(() => ClickRecord.Write(new Click { Kind = TargetKind.Ad, TargetId = "x"u8 }, new byte[28]));
        Assert.Throws<ArgumentException>(() => ClickRecord.Write(new Click { Kind = TargetKind.Ad, TargetId = "x"u8 }, new byte[3]));
    }

    [Fact]
    public void Json_says_any_timestamp_that_a_record_may_hold()
    {
        byte[] record = Record(new Click { Kind = TargetKind.Ad, TargetId = "x"u8 });
        foreach (long timestamp in new[] { long.MaxValue, long.MinValue, long.MinValue + 1, 0, -62_135_596_800_001, 253_402_300_800_000 })
        {
            BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(12), timestamp);
            Assert.True(ClickRecord.TryRead(record, out Click click));
            using JsonDocument document = JsonDocument.Parse(Json(in click));
        }
    }

    private static bool TryParse(ReadOnlySpan<byte> json, out Click click) =>
        ClickParser.TryParse(json, new byte[ClickParser.ScratchBytes], Parsed.Now, out click, out _);

    private static byte[] Json(in Click click)
    {
        var buffer = new ArrayBufferWriter<byte>();
        ClickJson.Write(in click, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Record(in Click click)
    {
        byte[] buffer = new byte[ClickRecord.MaxBytes];
        return buffer[..ClickRecord.Write(in click, buffer)];
    }
}
