using System.Net;
using System.Net.Sockets;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>A line to a server that can be cut on the way back: what was asked arrives, and no answer does.</summary>
internal sealed class CutLine : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile bool _cut;

    public CutLine(string host, int port)
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(host, port);
    }

    public int Port { get; }

    /// <summary>While it is set each answer ends its connection instead of arriving.</summary>
    public bool IsCut
    {
        get => _cut;
        set => _cut = value;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync(string host, int port)
    {
        var lines = new List<Task>();
        try
        {
            while (true)
            {
                lines.Add(ForwardAsync(await _listener.AcceptTcpClientAsync(_stop.Token), host, port));
            }
        }
        finally
        {
            await Task.WhenAll(lines);
        }
    }

    private async Task ForwardAsync(TcpClient near, string host, int port)
    {
        using (near)
        using (var far = new TcpClient { NoDelay = true })
        {
            try
            {
                await far.ConnectAsync(host, port, _stop.Token);
                near.NoDelay = true;
                await Task.WhenAny(
                    near.GetStream().CopyToAsync(far.GetStream(), _stop.Token),
                    AnswersAsync(far.GetStream(), near.GetStream()));
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
            {
                // A line that ends is a line that ends.
            }
        }
    }

    private async Task AnswersAsync(NetworkStream from, NetworkStream to)
    {
        byte[] buffer = new byte[65_536];
        int read;
        while ((read = await from.ReadAsync(buffer, _stop.Token)) > 0 && !_cut)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }
}
