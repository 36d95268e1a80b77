using ClickAggregator.Api.Queries;
using Microsoft.OpenApi;

namespace ClickAggregator.Api.Redirect;

/// <summary>What a counted redirect takes and answers, for the API's description: it reads its query by hand.</summary>
internal static class RedirectDescription
{
    private static readonly (string Name, string Description, bool Required)[] s_parameters =
    [
        ("to", "Where the visitor goes: a whole http or https URL.", true),
        ("campaign_id", "The campaign of the click.", false),
        ("exp", "The second, since 1970, from which the link is refused.", false),
        ("sig", "base64url(HMAC-SHA256(key, kind LF id LF to LF campaign_id LF exp)); Api sign-link makes it. "
            + "Without it only https addresses on Redirect:AllowedHosts.", false),
    ];

    public static RouteHandlerBuilder DescribeRedirect(this RouteHandlerBuilder route) => route
        .Produces(StatusCodes.Status302Found)
        .ProducesProblem(StatusCodes.Status400BadRequest)
        .ProducesProblem(StatusCodes.Status403Forbidden)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            foreach (OpenApiParameter parameter in operation.Parameters.OfType<OpenApiParameter>())
            {
                parameter.Description = parameter.Name == "kind" ? "ad, video, post, page or app." : Subject.IdRule;
            }

            foreach ((string name, string description, bool required) in s_parameters)
            {
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = name,
                    In = ParameterLocation.Query,
                    Required = required,
                    Description = description,
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                });
            }

            return Task.CompletedTask;
        });
}
