using ClickAggregator.Api.Ledger;
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
        [Finality.Parameter] = "The version of an answer: the same numbers again, over hours that were final then; else 409 not_final.",
        ["limit"] = "1 to 1000.",
        ["cursor"] = "The next_cursor of the page before.",
        ["format"] = "json or csv; or say it with Accept. Beside a table, headers say what JSON says in fields: " + string.Join(", ", AnswerHeaders.All) + ".",
        ["hour"] = "Any time in the hour, such as 2026-11-22T19:00Z.",
        ["filter"] = "country:US or device:mobile.",
        ["count"] = "1 to 1000.",
        ["window"] = "Minutes.",
    };

    private static readonly string[] s_numbered = [RunQueries.Route[1..], InvalidationQueries.Route[1..]];

    private static readonly (string Name, string Description)[] s_parts =
        [("id", Subject.IdRule), ("month", "A month (UTC), such as 2026-11."), ("click_id", "The id that the click was sent with.")];

    public static void AddQueryParameters(this OpenApiOptions options) => options.AddOperationTransformer((operation, context, _) =>
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<OrderFields>().FirstOrDefault() is { } order)
        {
            operation.RequestBody = JsonBody(Body(order.Fields));
        }

        var list = context.Description.ActionDescriptor.EndpointMetadata.OfType<QueryParameterList>().FirstOrDefault();
        if (list is null)
        {
            return Task.CompletedTask;
        }

        operation.Parameters ??= [];
        foreach ((string part, string description) in s_parts)
        {
            if (context.Description.RelativePath?.Contains($"{{{part}}}", StringComparison.Ordinal) == true)
            {
                bool isNumber = part == "id" && s_numbered.Any(path => context.Description.RelativePath.StartsWith(path, StringComparison.Ordinal));
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = part,
                    In = ParameterLocation.Path,
                    Required = true,
                    Description = isNumber ? "Its number." : description,
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdRules.MaxBytes },
                });
            }
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
            operation.RequestBody = JsonBody(Body());
        }

        return Task.CompletedTask;
    });

    private static OpenApiRequestBody JsonBody(OpenApiSchema schema) => new()
    {
        Required = true,
        Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = schema } },
    };

    private static OpenApiSchema Body(IReadOnlyList<BodyField> fields) => new()
    {
        Type = JsonSchemaType.Object,
        Required = fields.Where(field => field.Required).Select(field => field.Name).ToHashSet(),
        Properties = fields.ToDictionary(
            field => field.Name,
            field => (IOpenApiSchema)new OpenApiSchema { Type = field.IsFlag ? JsonSchemaType.Boolean : JsonSchemaType.String, Description = field.Description }),
        AdditionalPropertiesAllowed = false,
    };

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
