using ClickAggregator.ClickLog.Files;
using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>
/// One log file that is followed: where it is read, and whom the clicks of it were given to. What is appended carries a
/// marker (source, from, to) into every partition, so that after a crash each partition goes on behind its own.
/// </summary>
internal sealed partial class WatchedFile(string path, ulong number, WatchShared shared) : IDisposable
{
    private readonly long[] _from = new long[shared.Log.Partitions];
    private SafeFileHandle? _handle;
    private DeadLetters? _deadLetters;
    private string? _first;
    private string? _source;
    private long _position;
    private long? _lines = 0;
    private long _length;
    private long _noNewlineBelow;
    private long _grewAt = shared.Time.GetTimestamp();
    private long? _behindSince;
    private long? _lastSeen;
    private long _badLines;
    private string _state = "reading";

    /// <summary>Where it was seen last.</summary>
    public string Path { get; set; } = path;

    /// <summary>See <see cref="FileNumber"/>.</summary>
    public ulong Number => number;

    /// <summary>A pattern means it. If none does any more it was renamed or deleted, and is read to its end.</summary>
    public bool IsMatched { get; set; } = true;

    /// <summary>It is followed only if the markers know it: it was renamed while nobody followed it.</summary>
    public bool OnlyIfKnown { get; init; }

    /// <summary>Everything of it has been taken, and nobody need look at it again.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Its handle is closed until it grows.</summary>
    public bool IsResting => _handle is null;

    public WatchStatus Status => new(
        Path, _position, Math.Max(0, _length - _position),
        _behindSince is { } since ? shared.Time.GetElapsedTime(since).TotalSeconds : 0, _lastSeen, _badLines, _state);

    /// <summary>Reads and appends the next part of the file.</summary>
    /// <returns>False where there is nothing to do for now.</returns>
    /// <exception cref="IOException">The file cannot be read, or the log has no room; what was not appended is read again.</exception>
    public async ValueTask<bool> StepAsync()
    {
        try
        {
            if (!Open() || !Identify() || IsDone)
            {
                return false;
            }

            int read = Read(out int taken);
            if (read == 0)
            {
                return AtEnd();
            }

            _behindSince ??= shared.Time.GetTimestamp();
            long to = _position + taken;
            if (taken == 0 && !TrySkipLongLine(read, out to))
            {
                return HalfLine(read);
            }

            if (!IsStillTheSame(to))
            {
                Restart();
                return true;
            }

            await AppendAsync(to);
            return true;
        }
        catch
        {
            // Parts of the append may be in the log: the markers know which.
            ReadMarkers();
            throw;
        }
    }

    /// <summary>Says why the last step failed.</summary>
    public void Fail(string state) => _state = state;

    public void Dispose()
    {
        _handle?.Dispose();
        _deadLetters?.Dispose();
    }

    private async ValueTask AppendAsync(long to)
    {
        _deadLetters!.Flush();
        int clicks = shared.Intake.Batch.Count;
        var marker = new SourceMarker(_source!, _position, to);

        // It is not cancelled: a stop waits for the disk, so that markers and clicks stay together.
        await shared.Log.AppendAsync(shared.Intake.Batch, marker, partition => _from[partition] < to, CancellationToken.None);
        for (int partition = 0; partition < _from.Length; partition++)
        {
            _from[partition] = Math.Max(_from[partition], to);
        }

        _position = to;
        _noNewlineBelow = to;
        _lastSeen = shared.Time.GetUtcNow().ToUnixTimeMilliseconds();
        _behindSince = _position < _length ? shared.Time.GetTimestamp() : null;
        _state = _position < _length ? "reading" : "at end";
        shared.Instruments.Clicks(clicks);
    }

    private bool Open()
    {
        if (_handle is not null)
        {
            return true;
        }

        // Resting or new. The path may have another file by now: matching finds out.
        if (FileNumber.Of(Path) != number)
        {
            IsDone = !IsMatched;
            return false;
        }

        if (_source is not null && new FileInfo(Path).Length == _position)
        {
            IsDone = !IsMatched;
            return false;
        }

        _handle = File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        _grewAt = shared.Time.GetTimestamp();
        if (FileNumber.Of(_handle) == number)
        {
            return true;
        }

        Rest();
        return false;
    }

    private void Rest()
    {
        _handle?.Dispose();
        _handle = null;
    }

    private bool AtEnd()
    {
        _behindSince = null;
        _state = "at end";
        TimeSpan quiet = shared.Time.GetElapsedTime(_grewAt);
        if (!IsMatched && quiet >= shared.Options.LeaveAfter)
        {
            IsDone = true;
        }
        else if (quiet >= shared.Options.RestAfter)
        {
            Rest();
        }

        return false;
    }

    private bool HalfLine(int bytes)
    {
        _behindSince = null;
        _state = "half a line";
        if (!IsMatched && shared.Time.GetElapsedTime(_grewAt) >= shared.Options.LeaveAfter)
        {
            LogHalfLine(shared.Logger, Path, bytes, _position);
            IsDone = true;
        }

        return false;
    }
}
