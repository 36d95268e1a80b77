using System.Text.Json;

namespace ClickAggregator.Api.Queries;

/// <summary>
/// The URLs of pages that were sent with <c>page_url</c>, beside their ids in every answer and table: an id that is a hash
/// tells nobody what was clicked.
/// </summary>
internal sealed class ShownUrls
{
    private readonly IReadOnlyDictionary<string, string>? _urls;

    // Null where the kind has no URLs: its tables have no column for them.
    private ShownUrls(IReadOnlyDictionary<string, string>? urls) => _urls = urls;

    public static async Task<ShownUrls> OfAsync(QueryContext query, string? kind, IEnumerable<string> ids) =>
        new(kind == "page" ? await query.Series.PageUrlsAsync([.. ids], query.Cancelled) : null);

    /// <summary>The field, if this one came with a URL.</summary>
    public void Write(Utf8JsonWriter json, string id)
    {
        if (_urls?.TryGetValue(id, out string? url) == true)
        {
            json.WriteString("page_url", url);
        }
    }

    /// <summary>A table's header.</summary>
    public string[] Header(params string[] columns) => _urls is null ? columns : [.. columns, "page_url"];

    /// <summary>A table's row about one id.</summary>
    public string[] Row(string id, params string[] cells) => _urls is null ? cells : [.. cells, _urls.GetValueOrDefault(id, "")];
}
