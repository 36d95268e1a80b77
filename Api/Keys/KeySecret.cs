using System.Buffers.Text;
using System.Security.Cryptography;

namespace ClickAggregator.Api.Keys;

/// <summary>
/// The secret of a key: <c>sk_</c> or <c>pk_</c> and 256 random bits. Of those nobody can try a part that is worth naming, so
/// a plain SHA-256 keeps them as well as a slow hash would, which is made for passwords that people think of and would cost
/// more than the click.
/// </summary>
internal static class KeySecret
{
    public const string SecretPrefix = "sk_";
    public const string PublicPrefix = "pk_";

    private const int RandomBytes = 32;
    private const int PrefixLength = 3;

    /// <summary>In characters; all secrets have the same.</summary>
    public const int Length = PrefixLength + 43;

    public static string Make(bool isPublic) =>
        (isPublic ? PublicPrefix : SecretPrefix) + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    public static byte[] Hash(string secret)
    {
        byte[] hash = new byte[SHA256.HashSizeInBytes];
        return TryHash(secret, hash) ? hash : throw new ArgumentException("this is no secret of a key", nameof(secret));
    }

    /// <summary>Hashes what may be a secret. What does not even look like one is not hashed, however long it is.</summary>
    /// <param name="text">What somebody sent.</param>
    /// <param name="hash">Takes 32 bytes.</param>
    public static bool TryHash(ReadOnlySpan<char> text, Span<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[Length];
        if (text.Length != Length || System.Text.Ascii.FromUtf16(text, bytes, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        SHA256.HashData(bytes, hash);
        return true;
    }
}
