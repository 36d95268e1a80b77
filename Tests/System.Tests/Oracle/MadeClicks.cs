using System.Globalization;
using System.Net;
using System.Text;

namespace ClickAggregator.SystemTests.Oracle;

/// <summary>Clicks with ids of their own, for tests that need few and know what they hold.</summary>
internal static class MadeClicks
{
    /// <summary>Posts clicks <c>prefix-0</c> and on, round the ads <c>ad-0</c> to <c>ad-9</c>, and holds that all were accepted.</summary>
    public static Task PostAsync(HttpClient http, string prefix, int clicks, DateTimeOffset? at = null)
    {
        var body = new StringBuilder();
        string time = at is DateTimeOffset moment ? string.Create(CultureInfo.InvariantCulture, $",\"timestamp\":{moment.ToUnixTimeMilliseconds()}") : "";
        for (int n = 0; n < clicks; n++)
        {
            body.Append(CultureInfo.InvariantCulture, $"{{\"click_id\":\"{prefix}-{n}\",\"ad_id\":\"ad-{n % 10}\",\"country\":\"US\"{time}}}\n");
        }

        return PostAsync(http, body.ToString());
    }

    public static async Task PostAsync(HttpClient http, string lines)
    {
        using var content = new StringContent(lines, Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage answer = await http.PostAsync("/v1/clicks", content);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
    }
}
