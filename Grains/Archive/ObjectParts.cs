using System.Security.Cryptography;

namespace ClickAggregator.Grains.Archive;

/// <summary>Reads parts of an archived object, each of which is checked.</summary>
/// <param name="objects">Where it is.</param>
/// <param name="key">Its key.</param>
/// <param name="bytes">Its size, as the manifest has it.</param>
/// <param name="footer">Its footer, as the manifest has it.</param>
public sealed class ObjectParts(IArchiveObjects objects, string key, long bytes, ObjectFooter footer)
{
    /// <summary>The object's size, in bytes.</summary>
    public long Bytes => bytes;

    /// <summary>Its last bytes, by which the others can be checked.</summary>
    public ObjectFooter Footer => footer;

    /// <summary>How many bytes were read of it.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Reads a part.</summary>
    /// <param name="from">The first byte's place.</param>
    /// <param name="count">How many bytes, at least one.</param>
    /// <param name="sha256">Of these bytes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveDamagedException">They are others, or the object is gone.</exception>
    /// <exception cref="ArchiveUnavailableException">They cannot be read now.</exception>
    public async Task<byte[]> ReadAsync(long from, int count, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        byte[] part = await objects.ReadAsync(key, from, count, cancellationToken)
            ?? throw new ArchiveDamagedException($"the archived object {key} is gone");
        BytesRead += part.Length;
        return part.Length == count && SHA256.HashData(part).AsSpan().SequenceEqual(sha256.Span)
            ? part
            : throw new ArchiveDamagedException($"the archived object {key} is not what the manifest says (SHA-256 of {count} bytes at {from})");
    }
}
