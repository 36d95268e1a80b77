using System.Globalization;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ParquetSharp;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>A file that is open for reading, by row groups.</summary>
internal abstract class OpenFile : IClickFile
{
    private readonly RowGroupInput _input = new();
    private ParquetFileReader? _reader;
    private int _format;

    public FileSummary Summary { get; private set; } = null!;

    /// <inheritdoc/>
    public int RowGroups => Summary.RowGroups;

    /// <inheritdoc/>
    public long FirstRow(int group)
    {
        long first = 0;
        for (int before = 0; before < group; before++)
        {
            using RowGroupReader one = Reader.RowGroup(before);
            first += one.MetaData.NumRows;
        }

        return first;
    }

    /// <inheritdoc/>
    public abstract ValueTask<bool> MayHoldAsync(int group, ClickSearch only, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract ValueTask<int> ReadAsync(int group, ClickRows into, ClickColumns columns, CancellationToken cancellationToken);

    public virtual void Dispose() => _reader?.Dispose();

    // One place says what damage is: whatever the library or we stumble over in a file.
    public static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is ParquetException or InvalidDataException or ArgumentException or OverflowException
            or InvalidCastException or IndexOutOfRangeException or FormatException or KeyNotFoundException)
        {
            throw new ArchiveDamagedException($"not a sound file of archived clicks: {fault.Message}", fault);
        }
    }

    protected void Open(ParquetFileReader reader)
    {
        _reader = reader;
        IReadOnlyDictionary<string, string> said = reader.FileMetaData.KeyValueMetadata;
        _format = int.Parse(said[ClickSchema.FormatKey], NumberStyles.None, CultureInfo.InvariantCulture);
        if (_format is < 1 or > ClickSchema.MarkedFormat)
        {
            throw new InvalidDataException($"it has format {_format}, and this build reads up to {ClickSchema.MarkedFormat}");
        }

        var origin = new FileOrigin(
            said[ClickSchema.LogKey],
            int.Parse(said[ClickSchema.PartitionKey], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture),
            int.Parse(said[ClickSchema.ChainKey], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        Summary = new FileSummary(origin, reader.FileMetaData.NumRows, reader.FileMetaData.NumRowGroups);
    }

    protected int ReadGroup(int number, ClickRows into, ClickColumns columns)
    {
        using RowGroupReader group = Reader.RowGroup(number);
        int count = checked((int)group.MetaData.NumRows);
        _input.Read(group, count, _format < ClickSchema.MarkedFormat ? columns & ~ClickColumns.InvalidatedBy : columns, into);
        return count;
    }

    /// <summary>Whether a row group may hold what is sought, by the smallest and largest values of its columns.</summary>
    protected bool IsWithinStatistics(int number, ClickSearch only)
    {
        if (only.TargetId is not { } target)
        {
            return true;
        }

        using RowGroupReader group = Reader.RowGroup(number);
        return IsWithin(group, ClickSchema.TargetId, target) && IsWithin(group, ClickSchema.Kind, TargetKinds.Name(only.Kind));
    }

    /// <summary>Whether a filter, from its header on, may know a user.</summary>
    protected static bool MayKnow(ReadOnlySpan<byte> filter, string user) => BloomFilter.MayHold(filter, BloomFilter.Hash(System.Text.Encoding.UTF8.GetBytes(user)));

    private ParquetFileReader Reader => _reader ?? throw new InvalidOperationException("the file is not open");

    private static unsafe bool IsWithin(RowGroupReader group, int column, string text)
    {
        using ColumnChunkMetaData chunk = group.MetaData.GetColumnChunkMetaData(column);
        using var statistics = chunk.Statistics as Statistics<ByteArray>;
        if (statistics is not { HasMinMax: true })
        {
            return true;
        }

        byte[] sought = System.Text.Encoding.UTF8.GetBytes(text);
        ByteArray min = statistics.Min;
        ByteArray max = statistics.Max;
        return new ReadOnlySpan<byte>((void*)min.Pointer, min.Length).SequenceCompareTo(sought) <= 0
            && new ReadOnlySpan<byte>((void*)max.Pointer, max.Length).SequenceCompareTo(sought) >= 0;
    }
}
