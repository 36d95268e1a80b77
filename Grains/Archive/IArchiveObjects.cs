namespace ClickAggregator.Grains.Archive;

/// <summary>
/// Where archived objects are: S3, or a directory. An object appears whole or not at all; keys are ASCII, at most 512 characters, with
/// <c>/</c> between folders. Safe for concurrent use.
/// </summary>
public interface IArchiveObjects
{
    /// <summary>Writes an object, in place of the one that is there.</summary>
    /// <exception cref="ArchiveUnavailableException">Nobody knows whether it was written.</exception>
    Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Writes an object where none is; false where one is, which stays as it is.</summary>
    /// <exception cref="ArchiveUnavailableException">Nobody knows whether it was written.</exception>
    Task<bool> CreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>
    /// Writes an object in place of the one that is there, if that one has these bytes; false where it has others, or there is none. Who
    /// reads it meanwhile reads the one or the other, whole.
    /// </summary>
    /// <param name="key">Its key.</param>
    /// <param name="sha256">Of the bytes that have to be there, lower-case hexadecimal.</param>
    /// <param name="content">What takes their place.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveUnavailableException">Nobody knows whether it was written.</exception>
    Task<bool> ReplaceAsync(string key, string sha256, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>The whole object; null where there is none.</summary>
    /// <exception cref="ArchiveUnavailableException">It cannot be read now.</exception>
    Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Bytes of an object, fewer where it ends before; null where there is none.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="from">The first byte's place, from 0.</param>
    /// <param name="count">How many at most; at least 1.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveUnavailableException">It cannot be read now.</exception>
    Task<byte[]?> ReadAsync(string key, long from, int count, CancellationToken cancellationToken);

    /// <summary>The objects whose keys start with a prefix, in ordinal order, behind a key.</summary>
    /// <exception cref="ArchiveUnavailableException">They cannot be listed now.</exception>
    IAsyncEnumerable<ArchivedKey> ListAsync(string prefix, string? after, CancellationToken cancellationToken);

    /// <summary>Deletes an object; one that is not there is no fault.</summary>
    /// <exception cref="ArchiveUnavailableException">Nobody knows whether it was deleted.</exception>
    Task DeleteAsync(string key, CancellationToken cancellationToken);
}

/// <summary>An object and its size in bytes.</summary>
public readonly record struct ArchivedKey(string Key, long Bytes);

/// <summary>The archive cannot be reached, or refuses; the same may work later. The message says what to look at.</summary>
public sealed class ArchiveUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
