namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// How long things are kept: by their last write, and never before their own time is over. Times are milliseconds since the
/// epoch. What is over is over at once, for every reader; when Cassandra takes the space back is another matter (the TTL),
/// and always later. See the folder's README.
/// </summary>
internal sealed class Keeping(TimeSpan minutes, TimeSpan? days, TimeSpan slack, TimeProvider time)
{
    /// <summary>In seconds. What would live longer, or beyond what many servers take (January 2038), is not told to expire.</summary>
    private const long LongestTtl = 8L * 366 * 86_400;
    private const long LatestEnd = int.MaxValue - 86_400L;

    private readonly long _minutes = (long)minutes.TotalMilliseconds;
    // Clocks differ a little: nothing expires while one that is behind still shows it.
    private readonly long _slack = (long)slack.TotalMilliseconds;
    private readonly long? _days = (long?)days?.TotalMilliseconds;

    /// <summary>The clock that decides what is over.</summary>
    public TimeProvider Time => time;

    public bool DaysEnd => _days is not null;

    public long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>When a write counts as written: never before its stamp, nor before what was written to its day already.</summary>
    public static long WrittenAt(long now, long stamp, long dayWritten) => Math.Max(Math.Max(now, stamp / 1000), dayWritten);

    /// <summary>Whether a day that was written then may have gone: where it has not, nobody need ask when it was written.</summary>
    public bool HasEnded(int day, long now) => _days is long kept && (day + 1L) * Calendar.DayMilliseconds <= now - kept;

    /// <summary>Whether a day is over whose last write was then.</summary>
    public bool IsOver(int day, long written, long now) => HasEnded(day, now) && written < now - _days!.Value;

    /// <summary>Whether the minutes are over of an hour whose last write was then.</summary>
    public bool AreMinutesOver(int hour, long written, long now) =>
        (hour + 1L) * Calendar.HourMilliseconds <= now - _minutes && written < now - _minutes;

    /// <summary>A store that was first written to before it may have lost minutes.</summary>
    public long MinutesKeptSince(long now) => now - _minutes;

    /// <summary>The first hour none of whose minutes can be over yet.</summary>
    public long MinutesFloor(long now) => Calendar.FloorDiv(now - _minutes, Calendar.HourMilliseconds);

    /// <summary>A row whose stamp was below it may be gone because its time was over.</summary>
    public long ForgottenBefore(long now) => _days is long kept ? Math.Max(0, (now - kept) * 1000) : 0;

    /// <summary>
    /// Seconds until the space of a row is free; 0 for never. Twice the retention: a click that comes late, which is before the
    /// retention of its day has passed once, keeps the whole day for as long again.
    /// </summary>
    public int RowTtl(int day, long written, long now) =>
        _days is long kept ? Seconds(Math.Max((day + 1L) * Calendar.DayMilliseconds, written) + (2 * kept) - now, now) : 0;

    /// <summary>Seconds until the space of an hour's minutes is free; 0 for never. Not after that of their row.</summary>
    public int MinutesTtl(int hour, long written, long now)
    {
        int own = Seconds(Math.Max((hour + 1L) * Calendar.HourMilliseconds, written) + _minutes - now, now);
        int row = RowTtl(Calendar.DayOf(hour), written, now);
        return row == 0 ? own : own == 0 ? row : Math.Min(own, row);
    }

    private int Seconds(long milliseconds, long now)
    {
        long seconds = (milliseconds + _slack + 999) / 1000;
        return seconds > LongestTtl || (now / 1000) + seconds > LatestEnd ? 0 : (int)seconds;
    }
}
