using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ClickAggregator.Api.Redirect;

/// <summary>
/// What a link is signed by: <c>base64url(HMAC-SHA256(key, kind LF id LF to LF campaign_id LF exp))</c>. The parts are as they
/// are after URL decoding; one that is absent is empty. No part may hold a line feed, so no two links share a text.
/// </summary>
internal static class LinkSignature
{
    public static string Sign(string key, string kind, string id, string to, string campaignId, long? exp) =>
        Base64Url.EncodeToString(Compute(key, kind, id, to, campaignId, Text(exp)));

    /// <param name="keys">Each is tried: the first signs, all verify, so that keys can be changed without breaking links.</param>
    /// <param name="exp">As given, so that the text is what was signed; empty if absent.</param>
    public static bool Verify(
        IReadOnlyList<string> keys, string signature, string kind, string id, string to, string campaignId, string exp)
    {
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        // Lengths first: the decoder throws for what does not fit, and 32 bytes are 43 characters.
        if (signature.Length != 43 || !Base64Url.IsValid(signature) || !Base64Url.TryDecodeFromChars(signature, given, out int length)
            || length != given.Length)
        {
            return false;
        }

        bool found = false;
        foreach (string key in keys)
        {
            // no early way out: the time must not tell which key it was
            found |= CryptographicOperations.FixedTimeEquals(given, Compute(key, kind, id, to, campaignId, exp));
        }

        return found;
    }

    private static byte[] Compute(string key, string kind, string id, string to, string campaignId, string exp) =>
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{kind}\n{id}\n{to}\n{campaignId}\n{exp}"));

    private static string Text(long? exp) => exp?.ToString(CultureInfo.InvariantCulture) ?? "";
}
