using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>A click as a test knows it.</summary>
internal sealed record TestClick(
    string ClickId, string Kind, string Target, DateTimeOffset Time, string? Campaign = null, string? Country = null, string? Device = null, string? PageUrl = null)
{
    public static TestClick OfPageUrl(string clickId, string url, string normalised, DateTimeOffset time)
    {
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(normalised))).Replace('+', '-').Replace('/', '_');
        return new(clickId, "page", "p-" + hash[..22], time, PageUrl: url);
    }

    public string ToJson()
    {
        var fields = new Dictionary<string, object>
        {
            ["click_id"] = ClickId,
            [PageUrl is null ? Kind + "_id" : "page_url"] = PageUrl ?? Target,
            ["timestamp"] = Time.ToUnixTimeMilliseconds(),
        };
        (string Name, string? Value)[] optional = [("campaign_id", Campaign), ("country", Country), ("device", Device)];
        foreach ((string name, string? value) in optional)
        {
            if (value is not null)
            {
                fields[name] = value;
            }
        }

        return JsonSerializer.Serialize(fields);
    }
}
