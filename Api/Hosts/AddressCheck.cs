using System.Net;
using System.Net.Sockets;
using ClickAggregator.Api.Settings;
using Microsoft.AspNetCore.Connections;

namespace ClickAggregator.Api.Hosts;

/// <summary>
/// Tries the addresses before anything else starts. The web server is the last to start, and a port that is taken would be
/// found only when the silo works: its stopping again is slow, and talks of everything but the port.
/// </summary>
internal sealed class AddressCheck(ApiSettings settings, IConfiguration configuration) : IHostedLifecycleService
{
    /// <exception cref="IOException">An address cannot be listened to.</exception>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        // The web server's own endpoints, where they are set, are taken in place of urls.
        string[] endpoints = [.. configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).OfType<string>()];
        foreach (string url in endpoints.Length > 0
            ? endpoints
            : settings.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var address = BindingAddress.Parse(url);
            if (!address.IsUnixPipe && address.Port != 0)
            {
                Try(url, new IPEndPoint(IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? ip) ? ip : IPAddress.Loopback, address.Port));
            }
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static void Try(string url, IPEndPoint endpoint)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endpoint);
            socket.Listen();
        }
        catch (SocketException e)
        {
            throw new IOException($"{url} cannot be listened to: {e.Message}", new AddressInUseException(e.Message, e));
        }
    }
}
