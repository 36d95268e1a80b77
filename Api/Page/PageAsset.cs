using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace ClickAggregator.Api.Page;

/// <summary>One file of the page, as it lies in the assembly.</summary>
/// <param name="Route">Where it is served.</param>
/// <param name="ContentType">With the charset where it is text.</param>
/// <param name="Content">All of it; a few KiB.</param>
/// <param name="EntityTag">Of the content, so it holds over restarts and changes with each changed byte.</param>
internal sealed record PageAsset(string Route, string ContentType, byte[] Content, EntityTagHeaderValue EntityTag)
{
    /// <summary>Every file; read once.</summary>
    public static IReadOnlyList<PageAsset> All { get; } =
    [
        Load("/", "index.html", "text/html; charset=utf-8"),
        Load("/docs", "docs.html", "text/html; charset=utf-8"),
        Load("/assets/app.js", "app.js", "text/javascript; charset=utf-8"),
        Load("/assets/chart.js", "chart.js", "text/javascript; charset=utf-8"),
        Load("/assets/docs.js", "docs.js", "text/javascript; charset=utf-8"),
        Load("/assets/dom.js", "dom.js", "text/javascript; charset=utf-8"),
        Load("/assets/key.js", "key.js", "text/javascript; charset=utf-8"),
        Load("/assets/reconciliation.js", "reconciliation.js", "text/javascript; charset=utf-8"),
        Load("/assets/style.css", "style.css", "text/css; charset=utf-8"),
        Load("/assets/icon.svg", "icon.svg", "image/svg+xml"),
    ];

    private static PageAsset Load(string route, string name, string contentType)
    {
        using Stream stream = typeof(PageAsset).Assembly.GetManifestResourceStream("Page/" + name)
            ?? throw new InvalidOperationException($"The assembly was built without the page's file {name}.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        string hash = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 12));
        return new PageAsset(route, contentType, content, new EntityTagHeaderValue($"\"{hash}\""));
    }
}
