using System.Net.Sockets;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Keys;

namespace ClickAggregator.Api;

/// <summary>Says in words why the program does not start. What it cannot explain stays an exception with its trace.</summary>
internal static class StartFaults
{
    /// <returns>The words, or null where the exception is not one of a person's making.</returns>
    public static string? Explain(Exception e) => e switch
    {
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } => $"urls: {e.Message}",
        SocketException => $"urls: {e.Message}",
        InvalidOperationException when e.Message.Contains("HTTPS endpoint", StringComparison.Ordinal) =>
            "urls: https needs a certificate (Kestrel:Certificates:Default:Path and :Password), and none was found",
        KeyStoreException => $"DataDirectory: {e.Message}",
        StoreUnusableException => $"DataDirectory: {e.Message}",
        UnauthorizedAccessException => $"DataDirectory: {e.Message}",
        // of the log that cannot be used, and of a disk that is full
        IOException => $"DataDirectory: {e.Message}",
        _ => null,
    };
}
