using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace ClickAggregator.Api.Keys;

/// <summary>Says in the OpenAPI document how a key is sent, and which scope each call needs.</summary>
internal static class KeyDescription
{
    private const string Scheme = "key";

    public static void AddKeys(this OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[Scheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "A key with the scope that the call names; keys add makes one. Without any key, a server on a loopback address asks for none.",
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            KeyScope scope = context.Description.ActionDescriptor.EndpointMetadata.OfType<NeededScope>().LastOrDefault()?.Scope ?? KeyScope.None;
            if (scope == KeyScope.None)
            {
                return Task.CompletedTask;
            }

            operation.Security =
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [.. KeyScopes.Names(scope)] },
            ];
            operation.Responses ??= [];
            operation.Responses.TryAdd("401", new OpenApiResponse { Description = "key_invalid: there is no key, or none that is valid here." });
            operation.Responses.TryAdd("403", new OpenApiResponse { Description = "scope_missing: the key does not have the scope." });
            if (scope == KeyScope.Ingest)
            {
                operation.Parameters ??= [];
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = KeyGuard.Parameter,
                    In = ParameterLocation.Query,
                    Description = "A public key (pk_...), from a page that cannot set a header; its body may then be text/plain.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                });
            }

            return Task.CompletedTask;
        });
    }
}
