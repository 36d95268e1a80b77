using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog.Watch;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ClickAggregator.Api;

/// <summary>What a person sees when it has started: where it listens, where its data is, what to try.</summary>
internal static class Banner
{
    public static void Write(TextWriter output, WebApplication app, ApiSettings settings)
    {
        ICollection<string> addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        string first = addresses.FirstOrDefault() ?? settings.Urls;
        output.WriteLine();
        output.WriteLine($"Click Aggregator {typeof(Banner).Assembly.GetName().Version?.ToString(3)}{(settings.Demo ? " - DEMO" : "")}");
        KeySet keys = app.Services.GetRequiredService<KeyRing>().Current;
        string bearer = keys.IsOpen ? "" : " -H \"Authorization: Bearer $KEY\"";
        output.WriteLine($"  listens on  {string.Join(", ", addresses)}  ({(keys.IsOpen ? "this machine only: there is no key" : $"keys in use: {keys.Usable}")})");
        output.WriteLine($"  data in     {settings.DataDirectory}");
        foreach (WatchPattern watched in settings.WatchFiles.Select(text => new WatchPattern(text)))
        {
            // A typo in a path would else look like a file without clicks.
            output.WriteLine($"  follows     {watched.FullPath}{(watched.Files().Any() ? "" : "  (nothing there yet)")}");
        }

        output.WriteLine("  try         "
            + $"curl -X POST {first}/v1/clicks -H \"Content-Type: application/json\"{bearer} -d '{{\"ad_id\":\"a-42\"}}'");
        output.WriteLine($"  then        curl \"{first}/v1/ads/a-42/clicks?last=20m\"{bearer}");
        output.WriteLine("  stop        Ctrl+C");
        output.WriteLine();
    }
}
