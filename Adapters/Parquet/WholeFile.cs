using System.Buffers;
using ClickAggregator.Grains.Archive;
using ParquetSharp;
using ParquetSharp.IO;
using Buffer = ParquetSharp.IO.Buffer;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>A file of which all bytes are here, and whose seal holds.</summary>
internal sealed class WholeFile : OpenFile
{
    private readonly ReadOnlyMemory<byte> _file;
    private readonly MemoryHandle _pin;
    private readonly Buffer _buffer;
    private readonly BufferReader _bytes;
    private ThriftValue? _footer;

    public unsafe WholeFile(ReadOnlyMemory<byte> file)
    {
        SealedFile.Check(file.Span);
        _file = file;
        _pin = file.Pin();
        _buffer = new Buffer((nint)_pin.Pointer, file.Length);
        _bytes = new BufferReader(_buffer);
        try
        {
            Open(new ParquetFileReader(_bytes));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public bool MayHold(int group, ClickSearch only) => Guard(() => IsWithinStatistics(group, only)
        && (only.UserId is not { } user
            || (SealedFile.FilterOf(_footer ??= SealedFile.Footer(_file.Span), group, ClickSchema.UserId) is { } filter && MayKnow(filter.In(_file.Span), user))));

    public int Read(int group, ClickRows into, ClickColumns columns) => Guard(() => ReadGroup(group, into, columns));

    public override ValueTask<bool> MayHoldAsync(int group, ClickSearch only, CancellationToken cancellationToken) => new(MayHold(group, only));

    public override ValueTask<int> ReadAsync(int group, ClickRows into, ClickColumns columns, CancellationToken cancellationToken) => new(Read(group, into, columns));

    public override void Dispose()
    {
        base.Dispose();
        _bytes?.Dispose();
        _buffer?.Dispose();
        _pin.Dispose();
    }
}
