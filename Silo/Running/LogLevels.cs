namespace ClickAggregator.Silo.Running;

/// <summary>What is said unless settings say otherwise. Not in an appsettings.json: the API has one, and both are published together.</summary>
internal static class LogLevels
{
    public static IReadOnlyDictionary<string, string?> Defaults { get; } = new Dictionary<string, string?>
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Warning",
        // What stops a start is said in words at its end; a failing service is Critical.
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "Critical",
        ["Logging:LogLevel:Orleans"] = "Warning",
        // Advice on the garbage collector; and what a start fails by, which is said at its end.
        ["Logging:LogLevel:Orleans.Runtime.Silo"] = "Critical",
        ["Logging:LogLevel:Orleans.Runtime.Watchdog"] = "Error",
        // Each try of what Orleans tries again, and says itself in the end.
        ["Logging:LogLevel:Polly"] = "None",
    };
}
