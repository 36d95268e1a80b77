using System.Collections.Concurrent;
using ClickAggregator.Grains.Archive;
using ParquetSharp;
using ParquetSharp.IO;
using ParquetSharp.Schema;
using Buffer = ParquetSharp.IO.Buffer;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>Writes one file, row group by row group: what it holds is the file so far, compressed, and one row group.</summary>
internal sealed class ClickFileWriter : IClickFileWriter
{
    private readonly FileOrigin _origin;
    private readonly bool _isMarked;
    private readonly BufferOutputStream _sink = new();
    private readonly ParquetFileWriter _writer;
    private readonly ConcurrentBag<RowGroupOutput> _outputs;
    private readonly List<BloomFilter?> _filters = [];

    public ClickFileWriter(FileOrigin origin, bool isMarked, IReadOnlyDictionary<string, string> described, ConcurrentBag<RowGroupOutput> outputs)
    {
        _origin = origin;
        _isMarked = isMarked;
        _outputs = outputs;
        using GroupNode root = ClickSchema.NewRoot(isMarked);
        using WriterProperties properties = ClickSchema.NewProperties();
        _writer = new ParquetFileWriter(_sink, root, properties, described);
    }

    public void Add(ClickRows rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        RowGroupOutput output = _outputs.TryTake(out RowGroupOutput? unused) ? unused : new RowGroupOutput();
        for (int start = 0; start < rows.Count; start += IClickFiles.RowGroupRows)
        {
            int count = Math.Min(IClickFiles.RowGroupRows, rows.Count - start);
            using RowGroupWriter group = _writer.AppendRowGroup();
            output.Write(group, rows, start, count, _origin, _isMarked);
            _filters.Add(FilterOf(rows.UserIds, start, count));
        }

        _outputs.Add(output);
    }

    public byte[] Finish()
    {
        if (_filters.Count == 0)
        {
            throw new InvalidOperationException("a file has one click at least");
        }

        _writer.Close();
        using Buffer written = _sink.Finish();
        unsafe
        {
            return SealedFile.Complete(new ReadOnlySpan<byte>((void*)written.Data, checked((int)written.Size)), ClickSchema.UserId, _filters);
        }
    }

    public void Dispose()
    {
        _writer.Dispose();
        _sink.Dispose();
    }

    private static BloomFilter? FilterOf(Utf8Column users, int start, int count)
    {
        int known = 0;
        for (int row = start; row < start + count; row++)
        {
            known += users[row].IsEmpty ? 0 : 1;
        }

        if (known == 0)
        {
            return null;
        }

        var filter = new BloomFilter(known);
        for (int row = start; row < start + count; row++)
        {
            if (!users[row].IsEmpty)
            {
                filter.Add(BloomFilter.Hash(users[row]));
            }
        }

        filter.Shrink();
        return filter;
    }
}
