using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ParquetSharp;
using ParquetSharp.IO;
using ParquetSharp.Schema;
using Buffer = ParquetSharp.IO.Buffer;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>Archived clicks as Parquet. What the files are and who can read them is in README.md beside this.</summary>
public sealed class ParquetClickFiles : IClickFiles
{
    private const string FormatKey = "clicks.format";
    private const string LogKey = "clicks.log";
    private const string PartitionKey = "clicks.partition";
    private const string ChainKey = "clicks.chain";
    private const string EntryKey = "clicks.entry";

    // As many as files were ever written at the same time.
    private readonly ConcurrentBag<RowGroupOutput> _unused = [];

    /// <inheritdoc/>
    public IClickFileWriter Start(FileOrigin origin, bool isMarked = false, long? entry = null) =>
        new ClickFileWriter(origin, isMarked, Describe(origin, isMarked ? ClickSchema.MarkedFormat : ClickSchema.Format, entry), _unused);

    /// <inheritdoc/>
    public FileSummary Summarize(ReadOnlyMemory<byte> file) => Guard(() =>
    {
        using var open = new OpenFile(file);
        return open.Summary;
    });

    /// <inheritdoc/>
    public IEnumerable<int> Read(ReadOnlyMemory<byte> file, ClickRows into, ClickColumns columns, ClickSearch? only = null)
    {
        ArgumentNullException.ThrowIfNull(into);
        using OpenFile open = Guard(() => new OpenFile(file));
        var input = new RowGroupInput();
        for (int group = 0; group < open.Summary.RowGroups; group++)
        {
            int rows = Guard(() => open.MayHold(group, only) ? open.Read(group, input, columns, into) : 0);
            if (rows > 0)
            {
                yield return rows;
            }
        }
    }

    private static Dictionary<string, string> Describe(FileOrigin origin, int format, long? entry)
    {
        var said = new Dictionary<string, string>
        {
            [FormatKey] = Text(format),
            [LogKey] = origin.Log,
            [PartitionKey] = Text(origin.Partition),
            [ChainKey] = Text(origin.Chain),
        };
        if (entry is long number)
        {
            said[EntryKey] = Text(number);
        }

        return said;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    // One place says what damage is: whatever the library or we stumble over in a file.
    private static T Guard<T>(Func<T> read)
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

    /// <summary>A file whose seal holds, pinned for the library.</summary>
    private sealed class OpenFile : IDisposable
    {
        private readonly ReadOnlyMemory<byte> _file;
        private readonly MemoryHandle _pin;
        private readonly Buffer _buffer;
        private readonly BufferReader _bytes;
        private readonly ParquetFileReader _reader;
        private ThriftValue? _footer;
        private int _format;

        public unsafe OpenFile(ReadOnlyMemory<byte> file)
        {
            SealedFile.Check(file.Span);
            _file = file;
            _pin = file.Pin();
            _buffer = new Buffer((nint)_pin.Pointer, file.Length);
            _bytes = new BufferReader(_buffer);
            try
            {
                _reader = new ParquetFileReader(_bytes);
                Summary = Summarize();
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public FileSummary Summary { get; }

        public int Read(int number, RowGroupInput input, ClickColumns columns, ClickRows into)
        {
            using RowGroupReader group = _reader.RowGroup(number);
            int count = checked((int)group.MetaData.NumRows);
            input.Read(group, count, _format < ClickSchema.MarkedFormat ? columns & ~ClickColumns.InvalidatedBy : columns, into);
            return count;
        }

        public bool MayHold(int number, ClickSearch? only)
        {
            if (only is null)
            {
                return true;
            }

            using RowGroupReader group = _reader.RowGroup(number);
            if (only.TargetId is { } target
                && !(WithinStatistics(group, ClickSchema.TargetId, target) && WithinStatistics(group, ClickSchema.Kind, TargetKinds.Name(only.Kind))))
            {
                return false;
            }

            if (only.UserId is not { } user)
            {
                return true;
            }

            ReadOnlySpan<byte> filter = SealedFile.FilterOf(_file.Span, _footer ??= SealedFile.Footer(_file.Span), number, ClickSchema.UserId);
            return !filter.IsEmpty && BloomFilter.MayHold(filter, BloomFilter.Hash(System.Text.Encoding.UTF8.GetBytes(user)));
        }

        public void Dispose()
        {
            _reader?.Dispose();
            _bytes?.Dispose();
            _buffer?.Dispose();
            _pin.Dispose();
        }

        private FileSummary Summarize()
        {
            IReadOnlyDictionary<string, string> said = _reader.FileMetaData.KeyValueMetadata;
            int format = int.Parse(said[FormatKey], NumberStyles.None, CultureInfo.InvariantCulture);
            if (format is < 1 or > ClickSchema.MarkedFormat)
            {
                throw new InvalidDataException($"it has format {format}, and this build reads up to {ClickSchema.MarkedFormat}");
            }

            _format = format;

            var origin = new FileOrigin(
                said[LogKey],
                int.Parse(said[PartitionKey], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture),
                int.Parse(said[ChainKey], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
            return new FileSummary(origin, _reader.FileMetaData.NumRows, _reader.FileMetaData.NumRowGroups);
        }

        private static unsafe bool WithinStatistics(RowGroupReader group, int column, string text)
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
}
