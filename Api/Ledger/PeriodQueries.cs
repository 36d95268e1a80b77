using System.Globalization;
using System.Text.Json;
using ClickAggregator.Api.Queries;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Ledger;

/// <summary>Months that are closed for billing, and what came to them afterwards.</summary>
internal static class PeriodQueries
{
    private static readonly string[] s_subjects = [.. TargetKinds.All.Select(kind => TargetKinds.Name(kind) + "_id"), "campaign_id"];

    public static readonly string[] ListParameters = ["limit", "cursor", "format"];

    /// <summary>What is asked of one month: of all clicks, or of one target or campaign.</summary>
    public static readonly string[] Parameters = s_subjects;

    public static async Task<IResult> CloseAsync(QueryContext query, string month)
    {
        int number = Read(month);
        ClosedPeriod closed = await query.Silos.Grains.GetGrain<IReconciliationGrain>(0).ClosePeriodAsync(number, query.By);
        return Answer.Json(json => Write(json, closed));
    }

    public static async Task<IResult> ListAsync(QueryContext query)
    {
        int limit = query.Limit("limit", 100, 1000);
        int after = query.Value("cursor") is { } cursor ? TryRead(cursor) ?? throw Cursors.Fault() : int.MinValue;
        ClosedPeriod[] periods = [.. (await AllAsync(query)).Where(period => period.Month > after).OrderBy(period => period.Month).Take(limit)];
        string? next = periods.Length < limit ? null : Text(periods[^1].Month);
        if (query.WantsCsv)
        {
            return Answer.Table(query, next, ["month", "version", "closed_at", "closed_by"], periods.Select(period => (string[])[
                Text(period.Month), CountQueries.Number(period.Version), Hours.Moment(period.At)!, period.By ?? ""]));
        }

        return Answer.Json(json =>
        {
            json.WriteStartArray("items");
            foreach (ClosedPeriod period in periods)
            {
                json.WriteStartObject();
                Write(json, period);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next_cursor", next);
        });
    }

    /// <summary>The month as it was closed, as it is now, and the difference.</summary>
    public static async Task<IResult> GetAsync(QueryContext query, string text)
    {
        int month = Read(text);
        Subject subject = Of(query);
        ClosedPeriod period = (await AllAsync(query)).FirstOrDefault(one => one.Month == month)
            ?? throw new QueryFaultException("not_found", null, $"{text} is not closed; POST /v1/periods/{text}/close closes it") { Status = 404 };
        (long from, long to) = (Minutes(month), Minutes(month + 1));
        var range = new QueryRange(from, to, TimeZoneInfo.Utc, null);
        await QueryFilter.None.RequireAsync(query, subject.Base, range);
        long? closed = null;
        string? detail = null;
        try
        {
            await QueryFilter.None.RequireAsync(query, subject.Base, range, period.Version);
            SeriesSums then = await query.Series.SumAsync(new SeriesRange([subject.Series], from, to, null, period.Version), query.Cancelled);
            closed = then.Counts[0].Clicks;
        }
        catch (NotFinalException notFinal)
        {
            // A run changes an hour of it just now: what is new since the closing can be told apart once it is final again. Or it was not
            // added up at that version.
            detail = notFinal.Message;
        }

        SeriesSums now = await query.Series.SumAsync(new SeriesRange([subject.Series], from, to), query.Cancelled);
        return Answer.Json(json =>
        {
            Write(json, period);
            subject.Write(json, QueryFilter.None);
            json.WriteString("from", AnswerFields.Time(from, TimeZoneInfo.Utc));
            json.WriteString("to", AnswerFields.Time(to, TimeZoneInfo.Utc));
            AnswerFields.WriteNumber(json, "clicks_closed", closed);
            json.WriteNumber("clicks_now", now.Counts[0].Clicks);
            AnswerFields.WriteNumber(json, "adjustment", now.Counts[0].Clicks - closed);
            json.WriteString("detail", detail);
            json.WriteStartObject("now");
            AnswerFields.WriteProgress(json, query, range, now);
            json.WriteEndObject();
        });
    }

    private static Task<IReadOnlyList<ClosedPeriod>> AllAsync(QueryContext query) =>
        query.Silos.AskAsync(grains => grains.GetGrain<IReconciliationGrain>(0).GetPeriodsAsync(), query.Cancelled);

    private static Subject Of(QueryContext query)
    {
        string[] given = [.. s_subjects.Where(name => query.Value(name) is not null)];
        return given switch
        {
            [] => Subject.Total,
            [var name] => IdRules.IsId(query.Value(name)!) ? Subject.One(name[..^"_id".Length], query.Value(name)!) : throw new QueryFaultException("invalid_parameter", name, Subject.IdRule),
            _ => throw new QueryFaultException("invalid_parameter", given[1], "only one of " + string.Join(", ", s_subjects) + " may be given"),
        };
    }

    /// <summary>Months since 1970-01.</summary>
    private static int Read(string month) => TryRead(month) ?? throw new QueryFaultException("invalid_parameter", "month", "a month is named like 2026-11, from 2000 to 2199");

    private static int? TryRead(string month) =>
        DateOnly.TryParseExact(month, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly first) && first.Year is >= 2000 and < 2200
            ? ((first.Year - 1970) * 12) + first.Month - 1
            : null;

    private static DateOnly First(int month) => new DateOnly(1970, 1, 1).AddMonths(month);

    private static string Text(int month) => First(month).ToString("yyyy-MM", CultureInfo.InvariantCulture);

    private static long Minutes(int month) => new DateTimeOffset(First(month), TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeSeconds() / 60;

    private static void Write(Utf8JsonWriter json, ClosedPeriod period)
    {
        json.WriteString("month", Text(period.Month));
        json.WriteNumber("version", period.Version);
        json.WriteString("closed_at", Hours.Moment(period.At));
        json.WriteString("closed_by", period.By);
    }
}
