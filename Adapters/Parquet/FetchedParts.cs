namespace ClickAggregator.Adapters.Parquet;

/// <summary>A file as the library sees it: its end, one other part at a time, and nothing else.</summary>
internal sealed class FetchedParts(long length, byte[] end) : Stream
{
    private long _from;
    private byte[] _part = [];

    /// <summary>
    /// Whether the library has read the footer. Before, it reads more than that, a guess, and gets zeros of what is not here.
    /// </summary>
    public bool IsOpen { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    /// <summary>Puts a part in place of the one before.</summary>
    public void Put(long from, byte[] part)
    {
        _from = from;
        _part = part;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <exception cref="InvalidDataException">Bytes are asked for that are not here.</exception>
    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, Math.Max(0, length - Position));
        buffer = buffer[..count];
        if (!Copy(buffer, length - end.Length, end) && !Copy(buffer, _from, _part))
        {
            if (IsOpen)
            {
                throw new InvalidDataException($"{count} bytes at {Position} are in none of its parts");
            }

            buffer.Clear();
            int known = Math.Min(count, end.Length);
            end.AsSpan(end.Length - known).CopyTo(buffer[^known..]); // the guess goes to the end
        }

        Position += count;
        return count;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private bool Copy(Span<byte> to, long from, byte[] part)
    {
        long at = Position - from;
        if (at < 0 || at + to.Length > part.Length)
        {
            return false;
        }

        part.AsSpan((int)at, to.Length).CopyTo(to);
        return true;
    }
}
