using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Settings;

/// <summary>
/// Where settings come from; a later one wins: what the programs have in common, <c>appsettings.json</c>, the environment, the
/// command line.
/// </summary>
public static class SettingsSource
{
    private const string File = "appsettings.json";

    // Who reads a log beside another one wants to know when; .NET's own settings of the console say otherwise where they are given.
    private static readonly Dictionary<string, string?> s_common = new()
    {
        // Without a name .NET passes over the options of the formatter that it takes.
        ["Logging:Console:FormatterName"] = "simple",
        ["Logging:Console:FormatterOptions:TimestampFormat"] = "yyyy-MM-ddTHH:mm:ss.fffZ ",
        ["Logging:Console:FormatterOptions:UseUtcTimestamp"] = "true",
    };

    /// <summary>Reads them all. A file that cannot be read is left out, and noted as a fault beside all others.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="names">The names that the program knows.</param>
    /// <param name="folder">Where <c>appsettings.json</c> is; null for the program's own.</param>
    public static IConfiguration Build(Arguments arguments, ProgramNames names, string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(names);
        try
        {
            return Build(arguments, names, folder ?? AppContext.BaseDirectory, withFile: true);
        }
        catch (InvalidDataException e)
        {
            arguments.Fault($"{File} cannot be read: {e.InnerException?.InnerException?.Message ?? e.InnerException?.Message ?? e.Message}");
            return Build(arguments, names, folder ?? AppContext.BaseDirectory, withFile: false);
        }
    }

    private static IConfigurationRoot Build(Arguments arguments, ProgramNames names, string folder, bool withFile)
    {
        IConfigurationBuilder builder = new ConfigurationBuilder().SetBasePath(folder).AddInMemoryCollection(s_common);
        if (withFile)
        {
            builder.AddJsonFile(File, optional: true);
        }

        if (names.EnvironmentPrefix is { } prefix)
        {
            builder.AddEnvironmentVariables(prefix);
        }

        return builder.AddEnvironmentVariables().AddInMemoryCollection(arguments.Values).Build();
    }
}
