namespace ClickAggregator.ClickLog.Watch;

/// <summary>Cuts a file into lines.</summary>
internal sealed partial class WatchedFile
{
    private bool IsQuiet => shared.Time.GetElapsedTime(_grewAt) >= shared.Options.QuietTime;

    /// <summary>Reads on, and takes the whole lines into the intake.</summary>
    /// <param name="taken">How many bytes those lines are.</param>
    /// <returns>How many bytes were read.</returns>
    private int Read(out int taken)
    {
        shared.Intake.Clear();
        int read = RandomAccess.Read(_handle!, shared.Buffer, _position);
        ReadOnlySpan<byte> bytes = shared.Buffer.AsSpan(0, read);
        long now = shared.Time.GetUtcNow().ToUnixTimeMilliseconds();
        taken = 0;
        while (true)
        {
            ReadOnlySpan<byte> rest = bytes[taken..];
            int end = rest.IndexOf((byte)'\n');
            if (end < 0)
            {
                // A last line that stands still and is a whole click: the newline was forgotten.
                if (taken == 0 && read < shared.Buffer.Length && IsQuiet && shared.Intake.IsClick(Trim(rest), now))
                {
                    TakeLine(rest, _position, now);
                    taken = read;
                }

                return read;
            }

            TakeLine(rest[..end], _position + taken, now);
            taken += end + 1;
            _lines++;
        }
    }

    private void TakeLine(ReadOnlySpan<byte> line, long offset, long now)
    {
        ReadOnlySpan<byte> content = Trim(line);
        if (offset == 0 && content.StartsWith("\uFEFF"u8))
        {
            content = Trim(content[3..]);
        }

        if (!content.IsEmpty && !shared.Intake.Take(content, offset, _source!, _from, now, out string reason, out string message))
        {
            NoteBadLine(content, line.Length, offset, reason, message);
        }
    }

    /// <summary>
    /// A line that is larger than the buffer: finds its end, and puts it to the dead letters. Until there is an end the
    /// marker stays before it, so that no start ever begins in the middle of a line.
    /// </summary>
    private bool TrySkipLongLine(int read, out long to)
    {
        to = _position;
        if (read < shared.Buffer.Length)
        {
            return false;
        }

        byte[] start = shared.Buffer.AsSpan(0, shared.Intake.LineBytes).ToArray();
        long at = Math.Max(_noNewlineBelow, _position);
        while (true)
        {
            int more = RandomAccess.Read(_handle!, shared.Buffer, at);
            int end = shared.Buffer.AsSpan(0, more).IndexOf((byte)'\n');
            if (end >= 0)
            {
                to = at + end + 1;
                (string reason, string message) = shared.Intake.TooLong();
                NoteBadLine(start, to - 1 - _position, _position, reason, message);
                _lines++;
                return true;
            }

            if (more == 0)
            {
                _noNewlineBelow = at;
                return false;
            }

            at += more;
        }
    }

    private void NoteBadLine(ReadOnlySpan<byte> content, long length, long offset, string reason, string message)
    {
        _lines ??= CountLines(offset);
        if (_deadLetters!.Add(Path, _lines.Value + 1, offset, reason, message, content, length))
        {
            _badLines++;
            shared.Instruments.DeadLetter(reason);
        }
    }

    /// <summary>After a restart the number of a line is counted, once, when a bad one is met.</summary>
    private long CountLines(long below)
    {
        var buffer = new byte[64 << 10];
        long lines = 0;
        for (long at = 0; at < below;)
        {
            int read = RandomAccess.Read(_handle!, buffer.AsSpan(0, (int)Math.Min(buffer.Length, below - at)), at);
            if (read == 0)
            {
                break;
            }

            lines += buffer.AsSpan(0, read).Count((byte)'\n');
            at += read;
        }

        return lines;
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> line) => line.Trim(" \t\r"u8);
}
