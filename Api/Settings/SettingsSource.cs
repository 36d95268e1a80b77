using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Api.Settings;

/// <summary>Where settings come from; a later one wins: <c>appsettings.json</c>, the environment, the command line.</summary>
internal static class SettingsSource
{
    private const string File = "appsettings.json";

    /// <summary>Reads them all. A file that cannot be read is left out, and noted as a fault beside all others.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="folder">Where <c>appsettings.json</c> is; null for the program's own.</param>
    public static IConfiguration Build(Arguments arguments, string? folder = null)
    {
        try
        {
            return Build(arguments, folder ?? AppContext.BaseDirectory, withFile: true);
        }
        catch (InvalidDataException e)
        {
            arguments.Fault($"{File} cannot be read: {e.InnerException?.InnerException?.Message ?? e.InnerException?.Message ?? e.Message}");
            return Build(arguments, folder ?? AppContext.BaseDirectory, withFile: false);
        }
    }

    private static IConfigurationRoot Build(Arguments arguments, string folder, bool withFile)
    {
        IConfigurationBuilder builder = new ConfigurationBuilder().SetBasePath(folder);
        if (withFile)
        {
            builder.AddJsonFile(File, optional: true);
        }

        return builder.AddEnvironmentVariables("ASPNETCORE_").AddEnvironmentVariables().AddInMemoryCollection(arguments.Values).Build();
    }
}
