using System.Text;

namespace ClickAggregator.Clicks.Tests.Parsing;

public class JsonTests
{
    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{")]
    [InlineData("}")]
    [InlineData("""{"ad_id":"x" """)]
    [InlineData("""{"ad_id":"x"}}""")]
    [InlineData("""{"ad_id":"x"} x""")]
    [InlineData("""{"ad_id":"x"}{"ad_id":"x"}""")]
    [InlineData("""{"ad_id":"x",}""")]
    [InlineData("""{,"ad_id":"x"}""")]
    [InlineData("""{"ad_id" "x"}""")]
    [InlineData("""{"ad_id":}""")]
    [InlineData("""{"ad_id":"x" "device":"y"}""")]
    [InlineData("""{ad_id:"x"}""")]
    [InlineData("""{'ad_id':'x'}""")]
    [InlineData("""{"ad_id":"x}""")]
    [InlineData("""{"ad_id":"x\"}""")]
    [InlineData("""{"ad_id":"\x"}""")]
    [InlineData("""{"ad_id":"\u12"}""")]
    [InlineData("""{"ad_id":"\u12g4"}""")]
    [InlineData("""{"ad_id":"x","n":01}""")]
    [InlineData("""{"ad_id":"x","n":-}""")]
    [InlineData("""{"ad_id":"x","n":+1}""")]
    [InlineData("""{"ad_id":"x","n":1.}""")]
    [InlineData("""{"ad_id":"x","n":.5}""")]
    [InlineData("""{"ad_id":"x","n":1e}""")]
    [InlineData("""{"ad_id":"x","n":0x1}""")]
    [InlineData("""{"ad_id":"x","n":NaN}""")]
    [InlineData("""{"ad_id":"x","n":Infinity}""")]
    [InlineData("""{"ad_id":"x","n":nul}""")]
    [InlineData("""{"ad_id":"x","n":nullx}""")]
    [InlineData("""{"ad_id":"x","n":True}""")]
    [InlineData("""{"ad_id":"x","n":[1,]}""")]
    [InlineData("""{"ad_id":"x","n":[,1]}""")]
    [InlineData("""{"ad_id":"x","n":[1 2]}""")]
    [InlineData("""{"ad_id":"x","n":[1}}""")]
    [InlineData("""{"ad_id":"x","n":{"a":1,}}""")]
    [InlineData("""{"ad_id":"x","n":{"a"}}""")]
    [InlineData("""{"ad_id":"x","n":{1:2}}""")]
    [InlineData("""{"ad_id":"x"/*c*/}""")]
    [InlineData("[1")]
    [InlineData("\"x")]
    [InlineData("\ufeff{\"ad_id\":\"x\"}")]
    [InlineData("{\"ad_id\":\"a\nb\"}")]
    [InlineData("{\"ad_id\":\"a\0b\"}")]
    [InlineData("{\"ad_id\":\"x\",\"other\":\"a\tb\"}")]
    [InlineData("{\"ad_id\":\"x\",\"ot\u001fher\":1}")]
    [InlineData("{\"ad_id\":\"x\"\u00a0}")]
    [InlineData("{\"ad_id\":\"x\"}\0")]
    [InlineData("{\"ad_id\":\"x\",\"ad_id\":\"y\"")] // not JSON comes before what is wrong with the fields
    [InlineData("{\"ad_id\":\"..\",")]
    public void What_is_not_json_is_malformed(string json) =>
        Assert.Equal("malformed_json", Parsed.Error(json).CodeName);

    [Theory]
    [InlineData(new byte[] { 0xff })]
    [InlineData(new byte[] { 0xc0, 0xaf })] // overlong
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 })] // a surrogate
    [InlineData(new byte[] { 0xe2, 0x80 })]
    [InlineData(new byte[] { 0x80 })]
    [InlineData(new byte[] { 0xf5, 0x80, 0x80, 0x80 })]
    public void Bytes_that_are_not_utf8_are_malformed_also_in_ignored_fields(byte[] bad)
    {
        foreach (string before in new[] { "{\"ad_id\":\"x", "{\"ad_id\":\"x\",\"other\":\"", "{\"ad_id\":\"x\",\"o\":1,\"" })
        {
            byte[] json = [.. Encoding.UTF8.GetBytes(before), .. bad, .. before.EndsWith(",\"", StringComparison.Ordinal) ? "\":1}"u8 : "\"}"u8];
            Assert.Equal(ClickErrorCode.MalformedJson, Parsed.Error(json).Code);
        }
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""[{"ad_id":"x"}]""")]
    [InlineData("null")]
    [InlineData(" 12 ")]
    [InlineData("\"x\"")]
    [InlineData("true")]
    public void Another_json_value_is_not_an_object(string json) =>
        Assert.Equal("not_an_object", Parsed.Error(json).CodeName);

    [Theory]
    [InlineData("{\t\r\n\"ad_id\" : \"x\" , \"n\" : [ 1 , { \"a\" : [ ] , \"b\" : { } } ] } \n")]
    [InlineData("""{"ad_id":"x","n":[-0,0.5,1e5,-1E-5,1.25e+10,true,false,null,"\u0041\"\\\/\b\f\n\r\t"]}""")]
    [InlineData("""{"ad_id":"x","n":"\ud83d\ude00 😀","\ud800":"\udc00"}""")]
    [InlineData("""{"":1,"ad_id":"x","ad_i":1,"ad_idx":2,"ad_id ":3}""")]
    public void All_of_json_is_accepted_in_ignored_fields(string json) =>
        Assert.Equal("x", Parsed.Click(json).Target);

    [Theory]
    [InlineData("""{"ad_id":"x","ad_id":"x"}""", "ad_id")]
    [InlineData("""{"ad_id":"x","ad\u005fid":"y"}""", "ad_id")]
    [InlineData("""{"ad\u005fid":"x","\u0061d_id":"y"}""", "ad_id")]
    [InlineData("""{"ad_id":"x","timestamp":1,"timestamp":2}""", "timestamp")]
    [InlineData("""{"ad_id":"x","referrer":null,"referrer":null}""", "referrer")]
    [InlineData("""{"ad_id":null,"ad_id":"y"}""", "ad_id")]
    public void A_known_field_given_twice_is_refused(string json, string field)
    {
        ClickError error = Parsed.Error(json);
        Assert.Equal(("duplicate_field", field), (error.CodeName, error.Field));
    }

    [Fact]
    public void An_ignored_field_may_be_given_twice() =>
        Assert.Equal("x", Parsed.Click("""{"a":1,"ad_id":"x","a":2}""").Target);

    [Fact]
    public void Nesting_ends_at_16_levels_with_the_click_itself()
    {
        foreach ((string open, string close) in new[] { ("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]") })
        {
            int levels = open.Length > 5 ? 2 : 1;
            Assert.Equal("x", Parsed.Click(Nested(open, close, 15 / levels)).Target);
            Assert.Equal("too_deep", Parsed.Error(Nested(open, close, 16)).CodeName);
            Assert.Equal("too_deep", Parsed.Error(Nested(open, close, 1000)).CodeName);
        }

        static string Nested(string open, string close, int times) =>
            $"{{\"ad_id\":\"x\",\"n\":{Repeat(open, times)}1{Repeat(close, times)}}}";
        static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
    }

    [Fact]
    public void A_deep_value_that_is_no_click_is_too_deep() =>
        Assert.Equal("too_deep", Parsed.Error(new string('[', 5000)).CodeName);

    [Theory]
    [InlineData(16 * 1024, true)]
    [InlineData((16 * 1024) + 1, false)]
    public void A_line_has_at_most_16_KiB(int bytes, bool valid)
    {
        string json = "{\"ad_id\":\"x\",\"pad\":\"";
        json += new string('p', bytes - json.Length - 2) + "\"}";
        Assert.Equal(bytes, json.Length);
        if (valid)
        {
            Assert.Equal("x", Parsed.Click(json).Target);
        }
        else
        {
            Assert.Equal("line_too_long", Parsed.Error(json).CodeName);
        }
    }

    [Fact]
    public void Every_code_has_its_name()
    {
        string[] names = [.. Enum.GetValues<ClickErrorCode>().Select(ClickError.NameOf)];
        Assert.Equal(
            [
                "", "malformed_json", "not_an_object", "too_deep", "line_too_long", "duplicate_field", "target_missing",
                "target_ambiguous", "id_invalid", "timestamp_invalid", "timestamp_in_future", "timestamp_too_old",
                "timestamp_in_seconds", "field_invalid",
            ],
            names);
    }

    [Fact]
    public void A_short_scratch_is_the_callers_mistake() =>
        Assert.Throws<ArgumentException>(() =>
            ClickParser.TryParse("{}"u8, new byte[ClickParser.ScratchBytes - 1], 0, out _, out _));
}
