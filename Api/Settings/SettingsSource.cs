using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Api.Settings;

/// <summary>Where settings come from; a later one wins: <c>appsettings.json</c>, the environment, the command line.</summary>
internal static class SettingsSource
{
    /// <summary>For commands, which have no host.</summary>
    public static IConfiguration Build(Arguments arguments) => new ConfigurationBuilder()
        .SetBasePath(AppContext.BaseDirectory)
        .AddJsonFile("appsettings.json", optional: true)
        .AddEnvironmentVariables("ASPNETCORE_")
        .AddEnvironmentVariables()
        .AddInMemoryCollection(arguments.Values)
        .Build();
}
