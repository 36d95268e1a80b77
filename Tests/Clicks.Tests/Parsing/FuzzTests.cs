using System.Text;
using System.Text.Json;
using CsCheck;

namespace ClickAggregator.Clicks.Tests.Parsing;

/// <summary>The parser against System.Text.Json, which shares no code with it.</summary>
public class FuzzTests
{
    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = ClickParser.MaxDepth };

    private static readonly string[] s_seeds =
    [
        """{"click_id":"20130101-1356999061-1","ad_id":"aAeggG","timestamp":1356999059000,"campaign_id":"bit.ly","country":"US","device":"bot","referrer":"direct"}""",
        """{ "ad\u005fid" : "x" , "n" : [ 1 , -0.5e+3 , { "a" : [ ] , "b" : { } , "c" : "\"\\\/\b\f\n\r\t\ud83d\ude00" } ] }""",
        """{"page_url":"https://Example.com:443/é?x#y","n":{"a":[[[{"b":[true,false,null,0]}]]]},"timestamp":"2026-11-22T19:21:55.123Z"}""",
        """[{"ad_id":"x"},[],{},"",0]""",
        """{"ad_id":"x","a":[[[[[[[[[[[[[[1]]]]]]]]]]]]]],"b":"€😀"}""",
    ];

    // Bytes that mean something in JSON are more likely to make almost-valid texts than any others.
    private static readonly Gen<byte> s_byte = Gen.OneOf(
        Gen.OneOfConst("{}[]\",:\\ \t\n0123456789-+.eEutrfalsn/"u8.ToArray()), Gen.Byte);

    private static readonly Gen<byte[]> s_mutated = Gen.Select(
        Gen.OneOfConst(s_seeds), Gen.Select(Gen.Int[0, 3], Gen.Int[0, 400], Gen.Int[0, 8], s_byte).Array[0, 4])
        .Select((seed, edits) =>
        {
            var bytes = new List<byte>(Encoding.UTF8.GetBytes(seed));
            foreach ((int kind, int where, int length, byte value) in edits)
            {
                int at = where % (bytes.Count + 1);
                int count = Math.Min(length, bytes.Count - at);
                switch (kind)
                {
                    case 0:
                        bytes.Insert(at, value);
                        break;
                    case 1:
                        bytes.RemoveRange(at, count);
                        break;
                    case 2 when at < bytes.Count:
                        bytes[at] = value;
                        break;
                    default:
                        bytes.InsertRange(at, bytes.GetRange(at, count));
                        break;
                }
            }

            return bytes.ToArray();
        });

    [Fact]
    public void Mutated_json_is_json_exactly_where_System_Text_Json_says_so() =>
        s_mutated.Sample(AgreesWithSystemTextJson, iter: 60_000, print: Encoding.UTF8.GetString);

    [Fact]
    public void Random_bytes_never_throw_and_agree_too() =>
        s_byte.Array[0, 60].Sample(AgreesWithSystemTextJson, iter: 60_000, print: Encoding.UTF8.GetString);

    [Fact]
    public void Random_objects_of_known_fields_never_throw() =>
        Gen.Select(
            Gen.OneOfConst("ad_id", "page_url", "page_id", "timestamp", "country", "device", "referrer", "click_id"),
            Gen.String[Gen.Char["ab.:/@[]?#\\\"\u0001\u202eé0123456789TZ-+h"], 0, 40])
            .Array[0, 4]
            .Sample(fields =>
            {
                string json = "{" + string.Join(',', fields.Select(f => $"\"{f.Item1}\":{JsonSerializer.Serialize(f.Item2)}")) + "}";
                AgreesWithSystemTextJson(Encoding.UTF8.GetBytes(json));
            }, iter: 60_000);

    private static void AgreesWithSystemTextJson(byte[] json)
    {
        bool accepted = ClickParser.TryParse(
            json, new byte[ClickParser.ScratchBytes], Parsed.Now, out Click click, out ClickError error);
        Assert.Equal(accepted, error.Code == ClickErrorCode.None);
        Assert.NotNull(error.Message);

        JsonValueKind? kind = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, s_strict);
            kind = document.RootElement.ValueKind;
        }
        catch (JsonException)
        {
            // System.Text.Json says no; too deep is a no as well, and which of the two comes first is the parser's choice.
            Assert.True(error.Code is ClickErrorCode.MalformedJson or ClickErrorCode.TooDeep, $"{error}");
            return;
        }

        if (!System.Text.Unicode.Utf8.IsValid(json))
        {
            // System.Text.Json looks at the bytes of a string only when it is read.
            Assert.Equal(ClickErrorCode.MalformedJson, error.Code);
            return;
        }

        Assert.False(error.Code is ClickErrorCode.MalformedJson or ClickErrorCode.TooDeep, $"{error}");
        Assert.Equal(kind != JsonValueKind.Object, error.Code == ClickErrorCode.NotAnObject);
        if (accepted)
        {
            Assert.True(IdRules.IsId(click.TargetId));
            Assert.True(ClickRecord.Write(in click, new byte[ClickRecord.MaxBytes]) > 0);
        }
    }
}
