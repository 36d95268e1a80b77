using System.Net;
using System.Net.Sockets;

namespace ClickAggregator.Servers;

/// <summary>Stands before a server, and can cut it off, freeze it, or lose its answers.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly string _host;
    private readonly int _target;
    private readonly CancellationTokenSource _end = new();
    private TcpListener? _listener;
    private CancellationTokenSource _cut = new();
    private TaskCompletionSource _moves = new();
    private volatile bool _losesAnswers;

    public TcpProxy(int target, string host = "127.0.0.1")
    {
        _host = host;
        _target = target;
        _moves.SetResult();
        _listener = Listen(0);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
    }

    public int Port { get; }

    /// <summary>While it is set each answer ends its connection instead of arriving; what is asked does arrive.</summary>
    public bool LosesAnswers
    {
        get => _losesAnswers;
        set => _losesAnswers = value;
    }

    /// <summary>How long each piece of what passes is held up: a line that is slow.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>What is an answer: all that comes back, unless a protocol also says something between.</summary>
    public Func<ReadOnlyMemory<byte>, bool> IsAnswer { get; init; } = _ => true;

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

    /// <summary>From now on connections are taken and stay, and nothing comes through: as a process that is stopped.</summary>
    public void Freeze() => _moves = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What was held back goes on.</summary>
    public void Thaw() => _moves.TrySetResult();

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
        bool breaks = true;
        try
        {
            await far.ConnectAsync(_host, _target, cut);
            near.NoDelay = far.NoDelay = true;
            Task<bool> first = await Task.WhenAny(
                CopyAsync(near.GetStream(), far.GetStream(), _ => false, cut),
                CopyAsync(far.GetStream(), near.GetStream(), bytes => _losesAnswers && IsAnswer(bytes), cut));
            breaks = await first;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
        }

        if (breaks)
        {
            near.LingerState = new LingerOption(true, 0); // a reset, not an end; with an end, all that has passed arrives
        }
    }

    /// <summary>Whether it ended because something got lost, not because there was no more.</summary>
    private async Task<bool> CopyAsync(NetworkStream from, NetworkStream to, Func<ReadOnlyMemory<byte>, bool> loses, CancellationToken cut)
    {
        byte[] buffer = new byte[65_536];
        int read;
        while ((read = await from.ReadAsync(buffer, cut)) > 0)
        {
            if (loses(buffer.AsMemory(0, read)))
            {
                return true;
            }

            await _moves.Task.WaitAsync(cut);
            await Task.Delay(Pause, cut);
            await to.WriteAsync(buffer.AsMemory(0, read), cut);
        }

        return false;
    }
}
