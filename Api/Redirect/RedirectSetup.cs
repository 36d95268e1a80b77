using ClickAggregator.Api.Settings;
using Microsoft.AspNetCore.Http;

namespace ClickAggregator.Api.Redirect;

/// <summary>Puts the counted redirect into the program.</summary>
internal static class RedirectSetup
{
    public static void AddRedirect(this WebApplicationBuilder builder, ApiSettings settings)
    {
        builder.Services.AddSingleton(settings.Redirect);
        builder.Services.AddSingleton<RedirectHandler>();
    }

    public static void MapRedirect(this IEndpointRouteBuilder app)
    {
        RedirectHandler handler = app.ServiceProvider.GetRequiredService<RedirectHandler>();
        app.MapMethods("/v1/r/{kind}/{id}", [HttpMethods.Get, HttpMethods.Head],
            (HttpContext context, string kind, string id) => handler.HandleAsync(context, kind, id))
            .WithSummary("Counts a click and sends the visitor to a signed or allowed address. HEAD and prefetches do not count.")
            .DescribeRedirect();
    }
}
