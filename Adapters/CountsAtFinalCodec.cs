using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters;

/// <summary>
/// What a window had at a finalisation, as bytes: a digest of 8 bytes, the version, 60 or 4 for the counts that follow, these. The digest is
/// about the window's key, too: bytes that were altered, or stood in another row, tell nothing.
/// </summary>
internal static class CountsAtFinalCodec
{
    private const int DigestBytes = sizeof(ulong);

    public static byte[] Write(WindowKey key, CountsAtFinal counts)
    {
        Span<byte> bytes = stackalloc byte[CountCodec.MaxBytes];
        int length = CountCodec.WriteVarint(bytes, DigestBytes, counts.Version);
        bytes[length++] = (byte)counts.Counts.Length;
        length += CountCodec.Write(counts.Counts, bytes[length..]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Digest(key, bytes[DigestBytes..length]));
        return bytes[..length].ToArray();
    }

    /// <summary>Null where there are none, or they are not what was written.</summary>
    public static CountsAtFinal? Read(WindowKey key, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= DigestBytes || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Digest(key, bytes[DigestBytes..]))
        {
            return null;
        }

        int at = DigestBytes;
        if (!CountCodec.TryReadVarint(bytes, ref at, out long version) || at == bytes.Length)
        {
            return null;
        }

        long[] counts = new long[bytes[at++]];
        if (counts.Length is not (60 or 4) || !CountCodec.TryRead(bytes[at..], counts))
        {
            return null;
        }

        return new CountsAtFinal(version, counts);
    }

    private static ulong Digest(WindowKey key, ReadOnlySpan<byte> bytes) =>
        XxHash3.HashToUInt64(bytes, (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(key.ToString())));
}
