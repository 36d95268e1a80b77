using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>What the followed files share: they are read one after the other, so one buffer and one batch do.</summary>
internal sealed record WatchShared(
    PartitionedClickLog Log, WatchOptions Options, LineIntake Intake, byte[] Buffer, WatchInstruments Instruments, TimeProvider Time, ILogger Logger);

/// <summary>
/// Follows NDJSON log files and appends their clicks to the click log, each once: across rotation by rename and by
/// copy-truncate, half-written lines, files that appear later, and kill -9. See this folder's README.
/// </summary>
public sealed partial class LogWatcher : IDisposable
{
    /// <summary>How much of a file is read and appended at a time, bytes.</summary>
    private const int BufferBytes = 1 << 20;

    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_sayEvery = TimeSpan.FromMinutes(1);

    private readonly WatchShared _shared;
    private readonly WatchPattern[] _patterns;
    private readonly Dictionary<ulong, WatchedFile> _files = [];
    private readonly HashSet<ulong> _unfinished;
    private readonly Dictionary<string, (string Reason, long Said)> _unmatched = new(StringComparer.Ordinal);
    private bool _saidTooMany;
    private volatile IReadOnlyList<WatchStatus> _status = [];

    /// <param name="log">Where the clicks go.</param>
    /// <param name="options">What is followed.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where diagnostics go.</param>
    public LogWatcher(PartitionedClickLog log, WatchOptions options, TimeProvider time, ILogger<LogWatcher> logger)
    {
        _shared = new WatchShared(
            log, options, new LineIntake(log.Partitions, options.LineBytes), new byte[Math.Max(BufferBytes, options.LineBytes * 2)],
            new WatchInstruments(() => _status), time, logger);
        _patterns = [.. options.Patterns.Select(pattern => new WatchPattern(pattern))];
        _unfinished = [.. Enumerable.Range(0, log.Partitions).SelectMany(p => log.GetMarkers(p).Keys).Select(SourceName.NumberOf).OfType<ulong>()];
    }

    /// <summary>How far each file is.</summary>
    public IReadOnlyList<WatchStatus> Status => _status;

    /// <summary>Follows until cancelled, or until the click log fails for good.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        long matched = 0;
        bool first = true;
        while (!cancellationToken.IsCancellationRequested && !_shared.Log.Failed.IsCompleted)
        {
            if (first || _shared.Time.GetElapsedTime(matched) >= _shared.Options.MatchInterval)
            {
                first = !Match(first) && first;
                matched = _shared.Time.GetTimestamp();
            }

            TimeSpan pause = await StepAllAsync(cancellationToken);
            _status = [.. _files.Values.Select(file => file.Status)];
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, _shared.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public void Dispose()
    {
        foreach (WatchedFile file in _files.Values)
        {
            file.Dispose();
        }

        _shared.Intake.Dispose();
        _shared.Instruments.Dispose();
    }

    private async Task<TimeSpan> StepAllAsync(CancellationToken cancellationToken)
    {
        TimeSpan pause = _shared.Options.PollInterval;
        foreach (WatchedFile file in _files.Values.ToArray())
        {
            if (cancellationToken.IsCancellationRequested)
            {
                break;
            }

            try
            {
                if (await file.StepAsync())
                {
                    pause = TimeSpan.Zero;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                bool log = e is LogFullException or LogOverloadedException or LogFailedException;
                Say(file, log ? "click log full" : "cannot be read", e);
                if (log)
                {
                    return s_retry;
                }
            }

            if (file.IsDone)
            {
                _files.Remove(file.Number);
                file.Dispose();
            }
        }

        return pause;
    }

    private void Say(WatchedFile file, string state, Exception e)
    {
        if (file.Status.State != state)
        {
            LogTrouble(_shared.Logger, file.Path, state, e.Message);
        }

        file.Fail(state);
    }

    /// <summary>Looks for new files; false where not all folders could be walked. Files that are known are followed all the same.</summary>
    private bool Match(bool first)
    {
        bool all = true;
        var here = new HashSet<ulong>();
        foreach (WatchPattern pattern in _patterns)
        {
            all &= Walk(pattern.FullPath, () => Match(pattern.Files(), here));
        }

        foreach (WatchedFile file in _files.Values)
        {
            // Whose folder could not be walked may be there still.
            file.IsMatched = here.Contains(file.Number) || (!all && file.IsMatched);
        }

        return Walk("files that were renamed", () => FindRenamed(first)) && all;
    }

    private void Match(IEnumerable<string> paths, HashSet<ulong> here)
    {
        foreach (string path in paths)
        {
            if (FileNumber.Of(path) is not { } number)
            {
                continue;
            }

            if (_files.TryGetValue(number, out WatchedFile? known))
            {
                here.Add(number);
                known.Path = path;
            }
            else if (Admits(path))
            {
                here.Add(number);
                _files[number] = new WatchedFile(path, number, _shared);
            }
        }
    }

    /// <summary>Whether it went through; what is in the way is said once a minute.</summary>
    private bool Walk(string what, Action walk)
    {
        try
        {
            walk();
            _unmatched.Remove(what);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_unmatched.TryGetValue(what, out (string Reason, long Said) before) || before.Reason != e.Message
                || _shared.Time.GetElapsedTime(before.Said) >= s_sayEvery)
            {
                _unmatched[what] = (e.Message, _shared.Time.GetTimestamp());
                LogUnmatched(_shared.Logger, what, e.Message);
            }

            return false;
        }
    }

    /// <summary>
    /// A file that was renamed while nobody held it open is looked for beside the others: it may have been written to
    /// before. On start those are the ones that the markers know.
    /// </summary>
    private void FindRenamed(bool first)
    {
        HashSet<ulong> lost = [.. _files.Values.Where(file => !file.IsMatched && file.IsResting).Select(file => file.Number)];
        if (first)
        {
            lost.UnionWith(_unfinished.Where(number => !_files.ContainsKey(number)));
        }

        if (lost.Count == 0)
        {
            return;
        }

        IEnumerable<string> folders = _files.Values.Select(file => Path.GetDirectoryName(file.Path)!)
            .Concat(_patterns.Select(pattern => pattern.Folder)).Distinct().Where(Directory.Exists);
        foreach (string path in folders.ToArray().SelectMany(Directory.EnumerateFiles))
        {
            if (FileNumber.Of(path) is { } number && lost.Remove(number))
            {
                if (_files.TryGetValue(number, out WatchedFile? file))
                {
                    file.Path = path;
                }
                else if (Admits(path))
                {
                    _files[number] = new WatchedFile(path, number, _shared) { IsMatched = false, OnlyIfKnown = true };
                }
            }
        }
    }

    private bool Admits(string path)
    {
        if (_files.Count < _shared.Options.MaxFiles)
        {
            return true;
        }

        if (!_saidTooMany)
        {
            LogTooMany(_shared.Logger, _shared.Options.MaxFiles, path);
            _saidTooMany = true;
        }

        return false;
    }

    [LoggerMessage(1204, LogLevel.Warning, "{Path}: {State}: {Reason}")]
    private static partial void LogTrouble(ILogger logger, string path, string state, string reason);

    [LoggerMessage(1206, LogLevel.Warning, "{Pattern}: new log files cannot be looked for, which is tried again; those that are known are followed: {Reason}")]
    private static partial void LogUnmatched(ILogger logger, string pattern, string reason);

    [LoggerMessage(1205, LogLevel.Warning, "{Files} files are followed, which is the most: {Path} and others wait")]
    private static partial void LogTooMany(ILogger logger, int files, string path);
}
