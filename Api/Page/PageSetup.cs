namespace ClickAggregator.Api.Page;

/// <summary>The live page at <c>/</c> and the list of calls at <c>/docs</c>. Both are only readers of the public API.</summary>
internal static class PageSetup
{
    // An id may be any text that passes the rules for ids, so a browser must run and load nothing that did not come
    // from these files, whatever a click says.
    internal const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void MapPage(this IEndpointRouteBuilder app)
    {
        foreach (PageAsset asset in PageAsset.All)
        {
            app.MapMethods(asset.Route, [HttpMethods.Get, HttpMethods.Head], (HttpContext context) => Answer(context, asset))
                .ExcludeFromDescription();
        }
    }

    private static IResult Answer(HttpContext context, PageAsset asset)
    {
        IHeaderDictionary headers = context.Response.Headers;
        // Kept, but asked for each time: after an upgrade a page never runs with the scripts of another version.
        headers.CacheControl = "no-cache";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        return Results.Bytes(asset.Content, asset.ContentType, entityTag: asset.EntityTag);
    }
}
