using System.Net;
using System.Net.Sockets;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>Stands before a server, and can cut it off: connections break, and new ones are refused.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly int _target;
    private readonly CancellationTokenSource _end = new();
    private TcpListener? _listener;
    private CancellationTokenSource _cut = new();

    public TcpProxy(int target)
    {
        _target = target;
        _listener = Listen(0);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
    }

    public int Port { get; }

    /// <summary>Breaks every connection, in the middle of whatever is on its way, and refuses new ones.</summary>
    public async Task CutAsync()
    {
        _listener?.Dispose();
        _listener = null;
        await _cut.CancelAsync();
    }

    /// <summary>Takes connections again.</summary>
    public void Mend()
    {
        _cut = new CancellationTokenSource();
        _listener = Listen(Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await CutAsync();
    }

    private TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        _ = AcceptAsync(listener, _cut.Token);
        return listener;
    }

    private async Task AcceptAsync(TcpListener listener, CancellationToken cut)
    {
        try
        {
            while (true)
            {
                TcpClient client = await listener.AcceptTcpClientAsync(cut);
                _ = PassAsync(client, cut);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task PassAsync(TcpClient client, CancellationToken cut)
    {
        using TcpClient near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, cut);
            near.NoDelay = far.NoDelay = true;
            await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), cut), far.GetStream().CopyToAsync(near.GetStream(), cut));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
        }

        near.LingerState = new LingerOption(true, 0); // a reset, not an end
    }
}
