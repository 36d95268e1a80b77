using System.Globalization;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog.Files;

/// <summary>
/// The folder <c>log/quarantine</c>: copies of what could not be read, for whoever wants to look, because segments
/// are removed one day. And the list of places that are damaged, each told once; those that touch are one.
/// </summary>
internal sealed partial class Quarantine(string folder, ILogger logger)
{
    public const int MaxDamage = 1000;
    private const long MaxCopiedBytes = 1 << 20;
    private readonly Lock _gate = new();

    // Of each partition, in order of offsets, and apart from each other.
    private readonly SortedDictionary<int, List<Place>> _places = [];
    private int _told;
    private long _records;
    private bool _more;

    /// <summary>Places that are damaged, by partition and offset, the first 1,000 that were found.</summary>
    public IReadOnlyList<LogDamage> Damage
    {
        get
        {
            lock (_gate)
            {
                return [.. _places.Values.SelectMany(places => places).Select(place => place.Told).OfType<LogDamage>()];
            }
        }
    }

    /// <summary>How many records are lost, in all places, also those beyond the first 1,000.</summary>
    public long Records
    {
        get
        {
            lock (_gate)
            {
                return _records;
            }
        }
    }

    /// <summary>
    /// Notes damage, together with the places that it touches, keeps a copy of up to 1 MiB of it, and logs it, unless all
    /// of it is known already.
    /// </summary>
    public void Report(LogDamage damage)
    {
        lock (_gate)
        {
            if (!Note(damage, out bool told))
            {
                return;
            }

            if (!told)
            {
                if (!_more)
                {
                    _more = true;
                    LogMore(logger, MaxDamage);
                }

                return;
            }
        }

        string kept = damage.Bytes == 0 ? "no byte of them is left" : Keep(
            damage.File, damage.Position, Math.Min(damage.Bytes, MaxCopiedBytes),
            string.Create(CultureInfo.InvariantCulture, $"p{damage.Partition:D4}-{damage.FromOffset:D20}-{damage.ToOffset:D20}.damaged"),
            out string? fault) is string path ? $"a copy is in {path}" : $"no copy could be kept: {fault}";
        LogDamaged(logger, damage.Partition, damage.FromOffset, damage.ToOffset, damage.Records, damage.File, damage.Position, damage.Reason, kept);
    }

    /// <summary>False where all of it is known.</summary>
    /// <param name="damage">What was found.</param>
    /// <param name="told">Whether its place is one of those that are listed.</param>
    private bool Note(LogDamage damage, out bool told)
    {
        told = false;
        if (!_places.TryGetValue(damage.Partition, out List<Place>? places))
        {
            _places[damage.Partition] = places = [];
        }

        int first = FirstEndingFrom(places, damage.FromOffset);
        int behind = first;
        long known = 0;
        int listed = 0;
        var place = new Place(damage.FromOffset, damage.ToOffset, null);
        for (; behind < places.Count && places[behind].From <= damage.ToOffset; behind++)
        {
            Place touched = places[behind];
            if (touched.From <= damage.FromOffset && touched.To >= damage.ToOffset)
            {
                return false;
            }

            known += touched.To - touched.From;
            listed += touched.Told is null ? 0 : 1;
            place = new Place(Math.Min(place.From, touched.From), Math.Max(place.To, touched.To), place.Told ?? touched.Told);
        }

        told = listed > 0 || _told < MaxDamage;
        _told += (told ? 1 : 0) - listed;
        _records += place.To - place.From - known;
        places.RemoveRange(first, behind - first);
        places.Insert(first, place with { Told = told ? (place.Told ?? damage) with { FromOffset = place.From, ToOffset = place.To } : null });
        return true;
    }

    /// <summary>Which of the places is the first that ends at an offset or behind it.</summary>
    private static int FirstEndingFrom(List<Place> places, long offset)
    {
        int low = 0;
        int high = places.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (places[middle].To < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Copies the end of a segment that is about to be cut away.</summary>
    /// <returns>Where it is, or why it could not be kept.</returns>
    public string KeepTail(int partition, Segment segment, long from, long to) => Keep(
        segment.Path, from, to - from,
        string.Create(CultureInfo.InvariantCulture, $"p{partition:D4}-{segment.BaseOffset:D20}-{from}.tail"),
        out string? fault) ?? $"nowhere ({fault})";

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

    /// <summary>Where the copy is; null and the fault where it could not be made.</summary>
    private string? Keep(string file, long position, long bytes, string name, out string? fault)
    {
        fault = null;
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
            fault = error.Message;
            return null;
        }
    }

    [LoggerMessage(EventId = 1102, Level = LogLevel.Error, Message = "partition {Partition}: the offsets [{From}, {To}) are damaged ({Records} records): {File} at byte {Position}: {Reason}; {Kept}")]
    private static partial void LogDamaged(
        ILogger logger, int partition, long from, long to, long records, string file, long position, string reason, string kept);

    [LoggerMessage(EventId = 1104, Level = LogLevel.Error, Message = "the click log has more damage than {Told} places; the rest is not told one by one")]
    private static partial void LogMore(ILogger logger, int told);

    /// <summary>Lost offsets [From, To) that follow each other, and what is listed of them; null beyond the first 1,000 places.</summary>
    private readonly record struct Place(long From, long To, LogDamage? Told);
}
