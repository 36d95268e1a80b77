using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>Archived clicks as Parquet. What the files are and who can read them is in README.md beside this.</summary>
public sealed class ParquetClickFiles : IClickFiles
{
    // As many as files were ever written at the same time.
    private readonly ConcurrentBag<RowGroupOutput> _unused = [];

    /// <inheritdoc/>
    public IClickFileWriter Start(FileOrigin origin, bool isMarked = false, long? entry = null) =>
        new ClickFileWriter(origin, isMarked, Describe(origin, isMarked ? ClickSchema.MarkedFormat : ClickSchema.Format, entry), _unused);

    /// <inheritdoc/>
    public FileSummary Summarize(ReadOnlyMemory<byte> file)
    {
        using WholeFile open = Open(file);
        return open.Summary;
    }

    /// <inheritdoc/>
    public IEnumerable<int> Read(ReadOnlyMemory<byte> file, ClickRows into, ClickColumns columns, ClickSearch? only = null)
    {
        ArgumentNullException.ThrowIfNull(into);
        using WholeFile open = Open(file);
        for (int group = 0; group < open.RowGroups; group++)
        {
            int rows = only is null || open.MayHold(group, only) ? open.Read(group, into, columns) : 0;
            if (rows > 0)
            {
                yield return rows;
            }
        }
    }

    /// <inheritdoc/>
    public ObjectFooter FooterOf(ReadOnlySpan<byte> file)
    {
        int bytes = SealedFile.FooterBytes(file);
        return new ObjectFooter(bytes, Convert.ToHexStringLower(SHA256.HashData(file[^bytes..])));
    }

    /// <inheritdoc/>
    IClickFile IClickFiles.Open(ReadOnlyMemory<byte> file) => Open(file);

    /// <inheritdoc/>
    public async Task<IClickFile> OpenAsync(ObjectParts parts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return await PartedFile.OpenAsync(parts, cancellationToken).ConfigureAwait(false);
    }

    private static WholeFile Open(ReadOnlyMemory<byte> file) => OpenFile.Guard(() => new WholeFile(file));

    private static Dictionary<string, string> Describe(FileOrigin origin, int format, long? entry)
    {
        var said = new Dictionary<string, string>
        {
            [ClickSchema.FormatKey] = Text(format),
            [ClickSchema.LogKey] = origin.Log,
            [ClickSchema.PartitionKey] = Text(origin.Partition),
            [ClickSchema.ChainKey] = Text(origin.Chain),
        };
        if (entry is long number)
        {
            said[ClickSchema.EntryKey] = Text(number);
        }

        return said;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
