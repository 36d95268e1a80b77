namespace ClickAggregator.Api.Keys;

/// <summary>
/// Keeps keys out of the diagnostics. ASP.NET can write the address of each request, and a public key stands in it, as a
/// link's signature does. Whatever the settings of logging say, that one category stays silent below warnings.
/// </summary>
internal static class KeyDiagnostics
{
    private const string Category = "Microsoft.AspNetCore.Hosting.Diagnostics";

    public static void KeepAddressesOut(this IServiceCollection services) => services.PostConfigure<LoggerFilterOptions>(options =>
    {
        // A rule of one provider beats one of all: each provider that has rules gets this one, too. The last of equals wins.
        foreach (string? provider in options.Rules.Select(rule => rule.ProviderName).Append(null).Distinct().ToArray())
        {
            options.Rules.Add(new LoggerFilterRule(provider, Category, LogLevel.Warning, null));
        }
    });
}
