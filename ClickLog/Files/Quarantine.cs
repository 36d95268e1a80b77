using System.Globalization;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog.Files;

/// <summary>
/// The folder <c>log/quarantine</c>: copies of what could not be read, for whoever wants to look, because segments
/// are removed one day. And the list of damage found so far, each told once.
/// </summary>
internal sealed partial class Quarantine(string folder, ILogger logger)
{
    public const int MaxDamage = 1000;
    private const long MaxCopiedBytes = 1 << 20;
    private readonly HashSet<LogDamage> _known = [];
    private readonly List<LogDamage> _damage = [];
    private bool _more;

    /// <summary>Damage found so far, the first 1,000.</summary>
    public IReadOnlyList<LogDamage> Damage
    {
        get
        {
            lock (_known)
            {
                return [.. _damage];
            }
        }
    }

    /// <summary>Notes damage, keeps a copy of up to 1 MiB of it, and logs it, unless it is known already.</summary>
    public void Report(LogDamage damage)
    {
        lock (_known)
        {
            if (_known.Count >= MaxDamage)
            {
                if (!_more && !_known.Contains(damage))
                {
                    _more = true;
                    LogMore(logger, MaxDamage);
                }

                return;
            }

            if (!_known.Add(damage))
            {
                return;
            }

            _damage.Add(damage);
        }

        string kept = damage.Bytes == 0 ? "nothing to keep" : Keep(
            damage.File, damage.Position, Math.Min(damage.Bytes, MaxCopiedBytes),
            string.Create(CultureInfo.InvariantCulture, $"p{damage.Partition:D4}-{damage.FromOffset:D20}-{damage.ToOffset:D20}.damaged"));
        LogDamaged(logger, damage.Partition, damage.FromOffset, damage.ToOffset, damage.File, damage.Position, damage.Reason, kept);
    }

    /// <summary>Copies the end of a segment that is about to be cut away.</summary>
    /// <returns>Where it is, or why it could not be kept.</returns>
    public string KeepTail(int partition, Segment segment, long from, long to) => Keep(
        segment.Path, from, to - from,
        string.Create(CultureInfo.InvariantCulture, $"p{partition:D4}-{segment.BaseOffset:D20}-{from}.tail"));

    /// <summary>Moves a file here that is no segment any more.</summary>
    public string Move(int partition, string file)
    {
        try
        {
            Directory.CreateDirectory(folder);
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"p{partition:D4}-{Path.GetFileName(file)}"));
            File.Move(file, path, overwrite: true);
            return path;
        }
        catch (IOException error)
        {
            throw new LogUnusableException($"{file} is damaged, and cannot be moved to {folder}: {error.Message}", error);
        }
    }

    private string Keep(string file, long position, long bytes, string name)
    {
        // A copy is a courtesy: the log has to open and to be read on a disk that is full or read-only, too.
        try
        {
            Directory.CreateDirectory(folder);
            string path = Path.Combine(folder, name);
            using FileStream from = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using FileStream to = File.Create(path);
            from.Position = position;
            byte[] buffer = new byte[(int)Math.Min(bytes, 1 << 16)];
            for (long left = bytes; left > 0;)
            {
                int got = from.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
                if (got == 0)
                {
                    break;
                }

                to.Write(buffer, 0, got);
                left -= got;
            }

            return path;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"nowhere ({error.Message})";
        }
    }

    [LoggerMessage(EventId = 1102, Level = LogLevel.Error, Message = "partition {Partition}: the offsets [{From}, {To}) are damaged: {File} at byte {Position}: {Reason}; a copy is in {Kept}")]
    private static partial void LogDamaged(ILogger logger, int partition, long from, long to, string file, long position, string reason, string kept);

    [LoggerMessage(EventId = 1104, Level = LogLevel.Error, Message = "the click log has more damage than {Told} places; the rest is not told one by one")]
    private static partial void LogMore(ILogger logger, int told);
}
