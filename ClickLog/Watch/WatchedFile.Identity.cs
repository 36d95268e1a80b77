using ClickAggregator.ClickLog.Files;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>Which source a file is, and how far the markers say it was read.</summary>
internal sealed partial class WatchedFile
{
    private readonly byte[] _start = new byte[SourceName.FingerprintBytes];

    /// <summary>Finds out which source it is, or whether it still is the one.</summary>
    private bool Identify()
    {
        long length = RandomAccess.GetLength(_handle!);
        if (length != _length)
        {
            _length = length;
            _grewAt = shared.Time.GetTimestamp();
        }

        if (_source is not null && !IsStillTheSame(_position))
        {
            Restart();
        }

        return _source is not null || Name();
    }

    private bool Name()
    {
        string? first = NameNow(isWhole: false) ?? (IsQuiet && HasOneClick() ? NameNow(isWhole: true) : null);
        if (first is null)
        {
            _state = _length == 0 ? "at end" : "half a line";
            IsDone = !IsMatched && shared.Time.GetElapsedTime(_grewAt) >= shared.Options.LeaveAfter;
            return false;
        }

        int generation = 0;
        while (IsKnown(SourceName.Generation(first, generation + 1)))
        {
            generation++;
        }

        bool known = IsKnown(SourceName.Generation(first, generation));
        if (OnlyIfKnown && !known)
        {
            IsDone = true; // another file that got the number
            return false;
        }

        // Emptied while this process followed it, or (it is shorter than what was read) while none did.
        bool emptied = first == _first || (known && Lowest(SourceName.Generation(first, generation)) > _length);
        if (known && emptied)
        {
            generation++;
        }

        _first = first;
        _source = SourceName.Generation(first, generation);
        _deadLetters?.Dispose();
        _deadLetters = new DeadLetters(shared.Options.DeadLetterDirectory, _source, shared.Options.DeadLetterBytes);
        ReadMarkers();
        LogFollows(shared.Logger, Path, _source, _position, _length);
        return true;
    }

    /// <summary>It was emptied (copy-truncate) and is a new source from here on.</summary>
    private void Restart()
    {
        LogEmptied(shared.Logger, Path, _position);
        _source = null;
        _position = 0;
        _noNewlineBelow = 0;
    }

    private bool IsStillTheSame(long to) =>
        RandomAccess.GetLength(_handle!) >= to && (to == 0 || NameNow(isWhole: true) is { } first && first == _first);

    private string? NameNow(bool isWhole)
    {
        int read = RandomAccess.Read(_handle!, _start, 0);
        return read == 0 ? null : SourceName.Of(number, _start.AsSpan(0, read), isWhole);
    }

    /// <summary>Goes back to the lowest marker; each partition takes what lies behind its own.</summary>
    private void ReadMarkers()
    {
        if (_source is null)
        {
            return;
        }

        for (int partition = 0; partition < _from.Length; partition++)
        {
            _from[partition] = shared.Log.GetMarkers(partition).TryGetValue(_source, out SourceMarker? marker) ? marker.To : 0;
        }

        _position = _from.Min();
        _noNewlineBelow = _position;
        _lines = _position == 0 ? 0 : null;
        _deadLetters!.Recover();
    }

    /// <summary>The file is one click whose newline was forgotten.</summary>
    private bool HasOneClick()
    {
        int read = RandomAccess.Read(_handle!, _start, 0);
        return shared.Intake.IsClick(Trim(_start.AsSpan(0, read)), shared.Time.GetUtcNow().ToUnixTimeMilliseconds());
    }

    private bool IsKnown(string source) => Enumerable.Range(0, _from.Length).Any(p => shared.Log.GetMarkers(p).ContainsKey(source));

    private long Lowest(string source) =>
        Enumerable.Range(0, _from.Length).Min(p => shared.Log.GetMarkers(p).TryGetValue(source, out SourceMarker? marker) ? marker.To : 0);

    [LoggerMessage(1201, LogLevel.Information, "following {Path} (source {Source}) from byte {Position} of {Length}")]
    private static partial void LogFollows(ILogger logger, string path, string source, long position, long length);

    [LoggerMessage(1202, LogLevel.Warning, "{Path} was emptied after byte {Position} of it had been read: reading it from its start")]
    private static partial void LogEmptied(ILogger logger, string path, long position);

    [LoggerMessage(1203, LogLevel.Warning, "{Path} is gone, and its last {Bytes} bytes, from byte {Position} on, are not a whole line: left")]
    private static partial void LogHalfLine(ILogger logger, string path, int bytes, long position);
}
