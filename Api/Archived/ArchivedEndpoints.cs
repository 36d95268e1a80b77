using System.ComponentModel;
using ClickAggregator.Api.Queries;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Archived;

/// <summary>The routes of raw clicks: where one is, and all of one target.</summary>
internal static class ArchivedEndpoints
{
    public static void AddArchiveReading(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ArchiveReader>();
        builder.Services.AddSingleton<ReadingGate>();
    }

    public static void MapArchived(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/clicks/{click_id}/trace", QueryContext.Handle(TraceQuery.Parameters, query => TraceQuery.AnswerAsync(query, Value(query, "click_id"))))
            .WithSummary("Where a click is: in the log, in the archive, in which windows it counts, or why it does not. Looks at the last 24 hours and at what is not archived yet; faster where the target is given.")
            .WithTags("archive")
            .WithMetadata(new QueryParameterList(TraceQuery.Parameters))
            .Describe<TraceAnswer>()
            .ProducesProblem(StatusCodes.Status429TooManyRequests);
        foreach (TargetKind kind in TargetKinds.All)
        {
            string name = TargetKinds.Name(kind);
            app.MapGet($"/v1/{TargetKinds.Plural(kind)}/{{id}}/clicks/export", QueryContext.Handle(ExportQuery.Parameters, query => ExportQuery.AnswerAsync(query, name, Value(query, "id"))))
                .WithSummary($"The archived clicks of one {name}, line by line or as Parquet, repeats included; X-Archived-Until says until when it has all.")
                .WithTags("archive")
                .WithMetadata(new QueryParameterList(ExportQuery.Parameters))
                .AddEndpointFilter(QueryInstruments.TimeAsync)
                .Produces<ExportedClick>(StatusCodes.Status200OK, ExportQuery.NdJson, ExportQuery.Parquet)
                .ProducesProblem(StatusCodes.Status400BadRequest)
                .ProducesProblem(StatusCodes.Status429TooManyRequests)
                .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static string Value(QueryContext query, string name) => (string)query.Http.Request.RouteValues[name]!;
}

/// <summary>Where a click is.</summary>
internal sealed record TraceAnswer(
    string ClickId,
    [property: Description("The hours of the clicks' times that were looked at.")] DateTimeOffset From,
    DateTimeOffset To,
    TraceSearch Searched,
    [property: Description("Every record with this id, in the order of the log; empty where there is none.")] IReadOnlyList<TracePlace> Places);

/// <summary>What was looked at.</summary>
internal sealed record TraceSearch(
    [property: Description("Archived objects that were looked into.")] int Objects,
    [property: Description("Bytes that were read of them.")] long Bytes,
    [property: Description("Records of the log that are not archived yet.")] long LogRecords,
    [property: Description("What could not be looked at.")] string? Detail);

/// <summary>A record with this click id.</summary>
internal sealed record TracePlace(
    [property: Description("Null where it cannot be read as a click.")] CountedThing? Of,
    DateTimeOffset? Timestamp,
    string Log,
    int Partition,
    int Chain,
    long Offset,
    [property: Description("When the log took it.")] DateTimeOffset LogTime,
    [property: Description("The archived object; null while it is in the log alone.")] string? Object,
    [property: Description("Its row there, from 0.")] long? Row,
    bool Counted,
    [property: Description("Why it does not count: duplicate, repeat_in_its_hour, repeat_in_another_partition (partitions were added between the two), unreadable, expired, invalidated, waits_in_the_log. Or counts_until_its_hour_is_final, of a repeat.")] string? Reason,
    [property: Description("The offset of the click that it repeats, where that was found.")] long? DuplicateOf,
    [property: Description("The number of the invalidation.")] long? Invalidation,
    [property: Description("Its hour is final.")] bool Final,
    [property: Description("The minutes that it counts in, with all their clicks.")] IReadOnlyList<TraceWindow> Windows);

/// <summary>A minute of a series.</summary>
internal sealed record TraceWindow(string Series, DateTimeOffset Start, DateTimeOffset End, long Clicks);

/// <summary>A line of an export: the fields that the click was sent with, and where it stands in the log.</summary>
internal sealed record ExportedClick(
    string? ClickId,
    [property: Description("Or video_id, post_id, page_id, app_id.")] string AdId,
    DateTimeOffset Timestamp,
    string? CampaignId,
    string? UserId,
    string? Country,
    string? Device,
    string? Referrer,
    string? PageUrl,
    DateTimeOffset? ReceivedAt,
    int Partition,
    int Chain,
    long Offset,
    DateTimeOffset LogTime,
    [property: Description("It repeats an earlier click and did not count.")] bool Duplicate);
