using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace ClickAggregator.SystemTests.Reconciliation;

/// <summary>Runs of reconciliation, as somebody asks for them over HTTP.</summary>
internal static class Runs
{
    /// <summary>Asks for a run over some hours, and waits for its end.</summary>
    public static async Task<JsonElement> RunAsync(HttpClient http, long fromHour, long toHour, string mode = "direct", bool search = false) =>
        await EndedAsync(http, await StartAsync(http, fromHour, toHour, mode, search));

    /// <summary>Asks for a run; its number.</summary>
    public static async Task<long> StartAsync(HttpClient http, long fromHour, long toHour, string mode = "direct", bool search = false)
    {
        using HttpResponseMessage answer = await http.PostAsJsonAsync("/v1/reconciliations", new { from = Hour(fromHour), to = Hour(toHour), mode, search });
        string body = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 202, body);
        using var json = JsonDocument.Parse(body);
        return json.RootElement.GetProperty("id").GetInt64();
    }

    /// <summary>A run as it is now; null while the silos do not say.</summary>
    public static async Task<JsonElement?> GetAsync(HttpClient http, long id)
    {
        using HttpResponseMessage answer = await http.GetAsync($"/v1/reconciliations/{id}");
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>() : null;
    }

    public static async Task<JsonElement> EndedAsync(HttpClient http, long id)
    {
        JsonElement? run = null;
        await Eventually.Async(
            $"run {id} ends",
            async () => (run = await GetAsync(http, id) ?? run) is { } now && now.GetProperty("state").GetString() is "done" or "done_in_part",
            TimeSpan.FromMinutes(3));
        return run!.Value;
    }

    /// <summary>What a run wrote into the ledger.</summary>
    public static async Task<IReadOnlyList<LedgerLine>> CorrectionsAsync(HttpClient http, long id)
    {
        var lines = new List<LedgerLine>();
        string? cursor = null;
        do
        {
            JsonElement page = await http.GetFromJsonAsync<JsonElement>($"/v1/reconciliations/{id}/corrections?limit=1000{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}");
            lines.AddRange(page.GetProperty("items").EnumerateArray().Select(item => new LedgerLine(
                item.GetProperty("hour").GetDateTimeOffset().ToUnixTimeSeconds() / 3600,
                item.GetProperty("chain").GetInt32(),
                item.GetProperty("series").GetString()!,
                item.GetProperty("cause").GetString()!,
                item.GetProperty("state").GetString()!,
                item.GetProperty("before").GetInt64(),
                item.GetProperty("after").GetInt64(),
                item.GetProperty("detail").GetString() ?? "")));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return lines;
    }

    /// <summary>An hour since the epoch, as the API takes it.</summary>
    public static string Hour(long hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}

/// <summary>A line of the ledger.</summary>
internal sealed record LedgerLine(long Hour, int Chain, string Series, string Cause, string State, long Before, long After, string Detail);
