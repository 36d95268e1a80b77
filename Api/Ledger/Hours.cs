using ClickAggregator.Api.Queries;

namespace ClickAggregator.Api.Ledger;

/// <summary>Hours since the epoch, as they are asked for and answered.</summary>
internal static class Hours
{
    private const long Milliseconds = 3_600_000;

    /// <summary>The hour that a moment lies in; or, raised, the first that begins at it or after.</summary>
    /// <exception cref="QueryFaultException">It is no time.</exception>
    public static int Read(string name, string text, bool raise = false) =>
        (int)Math.Floor((QueryRange.Moment(name, text, TimeZoneInfo.Utc) + (raise ? Milliseconds - 1 : 0)) / (double)Milliseconds);

    /// <summary>The hours that a range of minutes touches.</summary>
    public static (int From, int To) Of(QueryRange range) => ((int)Math.Floor(range.From / 60d), (int)Math.Floor((range.To + 59) / 60d));

    /// <summary>When an hour begins.</summary>
    public static string Text(int hour) => AnswerFields.Time(hour * 60L, TimeZoneInfo.Utc);

    /// <summary>A moment in milliseconds since the epoch; null for none.</summary>
    public static string? Moment(long? milliseconds) => milliseconds is long at ? AnswerFields.Moment(at, TimeZoneInfo.Utc) : null;
}
