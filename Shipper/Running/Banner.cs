using ClickAggregator.ClickLog.Watch;

namespace ClickAggregator.Shipper.Running;

/// <summary>What a person sees when it has started: what it follows, where it ships to, where its data is.</summary>
internal static class Banner
{
    public static void Write(TextWriter output, ProgramSettings settings)
    {
        output.WriteLine();
        output.WriteLine($"Click Aggregator {typeof(Banner).Assembly.GetName().Version?.ToString(3)} - shipper");
        foreach (WatchPattern watched in settings.Watch.Patterns.Select(text => new WatchPattern(text)))
        {
            // A typo in a path would else look like a file without clicks.
            output.WriteLine($"  follows     {watched.FullPath}{(watched.Files().Any() ? "" : "  (nothing there yet)")}");
        }

        output.WriteLine($"  ships to    {settings.Ship.Topic} at {settings.Ship.BootstrapServers}");
        output.WriteLine($"  data in     {settings.Log.Directory}");
        output.WriteLine("  stop        Ctrl+C");
        output.WriteLine();
        output.Flush();
    }
}
