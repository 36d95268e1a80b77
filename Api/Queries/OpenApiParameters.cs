using ClickAggregator.Clicks;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace ClickAggregator.Api.Queries;

/// <summary>Puts the parameters of the queries into the OpenAPI document.</summary>
internal static class OpenApiParameters
{
    private static readonly Dictionary<string, string> Descriptions = new()
    {
        ["last"] = "A rolling range that ends at the next full minute: 20m (the default), 6h, 30d.",
        ["period"] = "Whole days in the timezone: today, yesterday, last_7_days, last_30_days, last_90_days, this_month, last_month.",
        ["from"] = "A date (midnight in the timezone) or an ISO 8601 time with a zone; floored to the minute.",
        ["to"] = "Like from, exclusive; raised to the minute. Now, if left out.",
        ["timezone"] = "An IANA zone, for example Europe/Berlin; UTC if left out.",
        ["granularity"] = "minute, hour or day: adds zero-filled points.",
        ["country"] = "Two letters; needs the rollup.",
        ["device"] = "A device; needs the rollup.",
        ["campaign_id"] = "Not added up per target.",
        ["group_by"] = "country or device; needs the rollup.",
        ["limit"] = "1 to 1000.",
        ["cursor"] = "The next_cursor of the page before.",
        ["format"] = "json or csv; or say it with Accept. Beside a table, headers say what JSON says in fields: " + string.Join(", ", AnswerHeaders.All) + ".",
        ["filter"] = "country:US or device:mobile.",
        ["count"] = "1 to 1000.",
        ["window"] = "Minutes.",
    };

    public static void AddQueryParameters(this OpenApiOptions options) => options.AddOperationTransformer((operation, context, _) =>
    {
        var list = context.Description.ActionDescriptor.EndpointMetadata.OfType<QueryParameterList>().FirstOrDefault();
        if (list is null)
        {
            return Task.CompletedTask;
        }

        operation.Parameters ??= [];
        if (context.Description.RelativePath?.Contains("{id}", StringComparison.Ordinal) == true)
        {
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = "id",
                In = ParameterLocation.Path,
                Required = true,
                Description = Subject.IdRule,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdRules.MaxBytes },
            });
        }

        foreach (string name in list.Names)
        {
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Query,
                Description = Descriptions.GetValueOrDefault(name),
                Schema = new OpenApiSchema { Type = name is "limit" or "count" or "window" ? JsonSchemaType.Integer : JsonSchemaType.String },
            });
        }

        if (list.HasBody)
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = Body() } },
            };
        }

        return Task.CompletedTask;
    });

    private static OpenApiSchema Body()
    {
        var properties = new Dictionary<string, IOpenApiSchema>
        {
            ["ids"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Description = Subject.IdRule,
                MinItems = 1,
                MaxItems = QueryBody.MaxIds,
                Items = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdRules.MaxBytes },
            },
        };
        foreach (string name in QueryBody.Names)
        {
            properties[name] = new OpenApiSchema { Type = JsonSchemaType.String, Description = Descriptions.GetValueOrDefault(name) };
        }

        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "ids" },
            Properties = properties,
            AdditionalPropertiesAllowed = false,
        };
    }
}
