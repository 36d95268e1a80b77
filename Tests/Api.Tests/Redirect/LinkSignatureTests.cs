using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using ClickAggregator.Api.Redirect;

namespace ClickAggregator.Api.Tests.Redirect;

public class LinkSignatureTests
{
    [Fact]
    public void The_signature_is_the_documented_one()
    {
        byte[] expected = HMACSHA256.HashData("a key of many letters"u8, Encoding.UTF8.GetBytes("ad\na-42\nhttps://x.example/\nc-7\n1700000000"));
        Assert.Equal(Base64Url.EncodeToString(expected),
            LinkSignature.Sign("a key of many letters", "ad", "a-42", "https://x.example/", "c-7", 1_700_000_000));
    }

    [Fact]
    public void What_is_absent_is_empty()
    {
        byte[] expected = HMACSHA256.HashData("a key of many letters"u8, "ad\n1\nhttps://x.example/\n\n"u8);
        Assert.Equal(Base64Url.EncodeToString(expected), LinkSignature.Sign("a key of many letters", "ad", "1", "https://x.example/", "", null));
    }
}
