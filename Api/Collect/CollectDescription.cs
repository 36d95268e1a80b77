using System.ComponentModel;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace ClickAggregator.Api.Collect;

/// <summary>
/// What a post of clicks takes, for the API's description. By hand: declared as the framework does it, the route would refuse
/// other media types itself, with an answer that does not say the right command.
/// </summary>
internal static class CollectDescription
{
    public static RouteHandlerBuilder DescribeCollecting(this RouteHandlerBuilder route) => route.AddOpenApiOperationTransformer(async (operation, context, cancelled) =>
    {
        OpenApiSchema click = await context.GetOrCreateSchemaAsync(typeof(SentClick), null, cancelled);

        // One field of two types, which no type of ours says.
        ((OpenApiSchema)click.Properties!["timestamp"]).Type = JsonSchemaType.String | JsonSchemaType.Integer | JsonSchemaType.Null;
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Description = "One click, an array of clicks, or one click a line (NDJSON).",
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new()
                {
                    Schema = new OpenApiSchema { AnyOf = [click, new OpenApiSchema { Type = JsonSchemaType.Array, Items = click }] },
                    Example = new JsonObject { ["ad_id"] = "a-42", ["country"] = "US", ["device"] = "mobile" },
                },
                ["application/x-ndjson"] = new() { Schema = click },
            },
        };
        operation.Parameters ??= [];
        operation.Parameters.Add(Header("Idempotency-Key",
            "1-100 id characters. Clicks without a click_id get this, a minus and their index, so that sending the request again counts once."));
        operation.Parameters.Add(Header("Content-Encoding", "gzip, or absent."));
    });

    private static OpenApiParameter Header(string name, string description) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}

/// <summary>A click as it is sent. Only for the description: the parser reads the bytes, and a test compares the two.</summary>
[Description("Exactly one of ad_id, video_id, post_id, page_id, app_id, page_url. Ids: 1-128 characters of A-Z a-z 0-9 . _ ~ : -, not . or .. "
    + "null and \"\" are as good as absent, but \"\" not as a target. Other fields are ignored.")]
internal sealed record SentClick
{
    public string? AdId { get; init; }

    public string? VideoId { get; init; }

    public string? PostId { get; init; }

    public string? PageId { get; init; }

    public string? AppId { get; init; }

    [Description("An http or https URL instead of page_id; without query and fragment it becomes the page's id, p- and 22 characters of its SHA-256.")]
    public string? PageUrl { get; init; }

    [Description("The same click_id on the same target counts once. Assigned where there is none.")]
    public string? ClickId { get; init; }

    [Description("ISO 8601 with a zone, or epoch milliseconds as a number; at most 5 minutes ahead. The time of receipt where there is none.")]
    public string? Timestamp { get; init; }

    public string? CampaignId { get; init; }

    public string? UserId { get; init; }

    [Description("Two letters.")]
    public string? Country { get; init; }

    [Description("1-32 id characters.")]
    public string? Device { get; init; }

    [Description("A URL or a host, at most 2,048 bytes; its host is kept.")]
    public string? Referrer { get; init; }
}
