using ClickAggregator.Clicks;

namespace ClickAggregator.Grains.Archive;

/// <summary>The form of archived files: Parquet. Safe for concurrent use; what is read is bounded by a row group.</summary>
public interface IClickFiles
{
    /// <summary>Rows in a row group, of which each has statistics and filters of its own: what a reader or a writer holds at a time.</summary>
    const int RowGroupRows = 128 << 10;

    /// <summary>Begins a file of clicks that come from a log.</summary>
    /// <param name="origin">The log they come from.</param>
    /// <param name="isMarked">Whether some of them are of erased users: <see cref="ClickRows.InvalidatedBy"/> is written then.</param>
    /// <param name="entry">
    /// The entry of the manifest that rewrites the file; null where it is new. It is in the bytes: no two entries write the same ones.
    /// </param>
    IClickFileWriter Start(FileOrigin origin, bool isMarked = false, long? entry = null);

    /// <summary>What a file says of itself.</summary>
    /// <exception cref="ArchiveDamagedException">It is no file that this build can read.</exception>
    FileSummary Summarize(ReadOnlyMemory<byte> file);

    /// <summary>Reads a file, row group by row group, each into the same rows, which are cleared before.</summary>
    /// <param name="file">All of it.</param>
    /// <param name="into">What each row group is read into.</param>
    /// <param name="columns">Columns that are wanted; the texts of others are absent, their numbers 0.</param>
    /// <param name="only">Row groups that hold none of these by their statistics or bloom filters are left out; null reads all.</param>
    /// <returns>One item a row group read: the number of rows that <paramref name="into"/> holds.</returns>
    /// <exception cref="ArchiveDamagedException">It is no file that this build can read.</exception>
    IEnumerable<int> Read(ReadOnlyMemory<byte> file, ClickRows into, ClickColumns columns, ClickSearch? only = null);

    /// <summary>The footer of a file that was written here: with it parts of the file can be read and checked.</summary>
    ObjectFooter FooterOf(ReadOnlySpan<byte> file);

    /// <summary>Opens a file of which all bytes are here.</summary>
    /// <exception cref="ArchiveDamagedException">It is no file that this build can read.</exception>
    IClickFile Open(ReadOnlyMemory<byte> file);

    /// <summary>Opens a file of which only parts are fetched, as they are needed.</summary>
    /// <exception cref="ArchiveDamagedException">Its footer is not what the manifest says, or nothing that this build can read.</exception>
    /// <exception cref="ArchiveUnavailableException">It cannot be read now.</exception>
    Task<IClickFile> OpenAsync(ObjectParts parts, CancellationToken cancellationToken);
}

/// <summary>A file that is open, to be read by row groups. Not safe for concurrent use.</summary>
public interface IClickFile : IDisposable
{
    /// <summary>How many there are.</summary>
    int RowGroups { get; }

    /// <summary>The place of a row group's first row among all rows of the file, from 0.</summary>
    long FirstRow(int group);

    /// <summary>Whether a row group may hold what is sought, by its statistics and bloom filters.</summary>
    /// <exception cref="ArchiveDamagedException">It cannot be told.</exception>
    ValueTask<bool> MayHoldAsync(int group, ClickSearch only, CancellationToken cancellationToken);

    /// <summary>Reads a row group into rows, which are cleared before; says how many there are.</summary>
    /// <param name="group">From 0.</param>
    /// <param name="into">What it is read into.</param>
    /// <param name="columns">Columns that are wanted; the texts of others are absent, their numbers 0.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArchiveDamagedException">It is not what was written.</exception>
    ValueTask<int> ReadAsync(int group, ClickRows into, ClickColumns columns, CancellationToken cancellationToken);
}

/// <summary>
/// Writes one file, bit by bit. Clicks that are given <see cref="IClickFiles.RowGroupRows"/> at a time, but for the last, make the
/// bytes that they make at once. Not safe for concurrent use.
/// </summary>
public interface IClickFileWriter : IDisposable
{
    /// <summary>Takes clicks, which may change afterwards.</summary>
    void Add(ClickRows rows);

    /// <summary>The file of all that was added, in that order.</summary>
    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    byte[] Finish();
}

/// <summary>Files that are written at once.</summary>
public static class ClickFiles
{
    /// <summary>The file of some clicks, in their order. The same clicks give the same bytes, whoever writes them, whenever.</summary>
    /// <param name="files">The form of it.</param>
    /// <param name="rows">At least one.</param>
    /// <param name="origin">The log they come from.</param>
    /// <param name="entry">As <see cref="IClickFiles.Start"/> takes it.</param>
    public static byte[] Write(this IClickFiles files, ClickRows rows, FileOrigin origin, long? entry = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(rows);
        using IClickFileWriter writer = files.Start(origin, rows.AreMarked, entry);
        writer.Add(rows);
        return writer.Finish();
    }

    /// <summary>Whether a file may hold what is sought: its footer and its filters are read, and nothing else.</summary>
    /// <exception cref="ArchiveDamagedException">What was read is not what was written.</exception>
    /// <exception cref="ArchiveUnavailableException">It cannot be read now.</exception>
    public static async Task<bool> MayHoldAsync(this IClickFiles files, ObjectParts parts, ClickSearch only, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(files);
        using IClickFile file = await files.OpenAsync(parts, cancellationToken);
        for (int group = 0; group < file.RowGroups; group++)
        {
            if (await file.MayHoldAsync(group, only, cancellationToken))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>The log that archived clicks come from.</summary>
public readonly record struct FileOrigin(string Log, int Partition, int Chain);

/// <summary>What a file says of itself.</summary>
/// <param name="Origin">The log its clicks come from.</param>
/// <param name="Rows">How many clicks it holds.</param>
/// <param name="RowGroups">In how many row groups.</param>
public sealed record FileSummary(FileOrigin Origin, long Rows, int RowGroups);

/// <summary>What is looked for; null in each part for anything. A file may hold clicks of other parts beside them.</summary>
/// <param name="Kind">The kind, with <paramref name="TargetId"/>.</param>
/// <param name="TargetId">One target.</param>
/// <param name="UserId">One user.</param>
public sealed record ClickSearch(TargetKind Kind = TargetKind.None, string? TargetId = null, string? UserId = null);

/// <summary>Columns of archived clicks.</summary>
[Flags]
public enum ClickColumns
{
    None = 0,
    Offset = 1,
    BrokerTime = 2,
    Duplicate = 4,
    ClickId = 8,
    Timestamp = 16,
    Target = 32,
    Campaign = 64,
    User = 128,
    Country = 256,
    Device = 512,
    Referrer = 1024,
    ReceivedAt = 2048,
    PageUrl = 4096,
    InvalidatedBy = 8192,
    All = 16383,
}

/// <summary>Archived bytes are not what the manifest says, or gone; the message names the object.</summary>
public sealed class ArchiveDamagedException(string message, Exception? inner = null) : Exception(message, inner);
