using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>Stands before a node, and breaks a connection when a conditional write's answer comes, or when a statement is to be sent.</summary>
internal sealed class LosingProxy : IAsyncDisposable
{
    private const int HeaderBytes = 9;
    private const int RowsKind = 2;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _node;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<TcpClient> _open = [];
    private int _answersToLose;
    private int _requestsToLose;
    private int _answers;
    private int _requests;
    private int _lost;

    public LosingProxy(int port)
    {
        _node = new IPEndPoint(IPAddress.Loopback, port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many answers and requests were lost.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <summary>Every so many answers to conditional writes one is lost; 0: none but those below.</summary>
    public int AnswersPerLoss { get; set; }

    /// <summary>Every so many statements one is lost on its way to the node.</summary>
    public int RequestsPerLoss { get; set; }

    /// <summary>The next answers to conditional writes are lost: applied, and nobody hears of it.</summary>
    public void LoseAnswers(int count) => Volatile.Write(ref _answersToLose, count);

    /// <summary>The next statements are lost: never applied.</summary>
    public void LoseRequests(int count) => Volatile.Write(ref _requestsToLose, count);

    /// <summary>From now on there is no way to the node.</summary>
    public void Cut()
    {
        _stopping.Cancel();
        _listener.Stop();
        lock (_open)
        {
            _open.ForEach(client => client.Dispose());
        }
    }

    public ValueTask DisposeAsync()
    {
        Cut();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                _ = ServeAsync(client);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient near = client;
        using var far = new TcpClient();
        lock (_open)
        {
            _open.Add(near);
            _open.Add(far);
        }

        try
        {
            await far.ConnectAsync(_node, _stopping.Token);
            await Task.WhenAny(
                PumpAsync(near.GetStream(), far.GetStream(), LosesRequest),
                PumpAsync(far.GetStream(), near.GetStream(), LosesAnswer));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException)
        {
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, Func<Opcode, byte[], bool> loses)
    {
        byte[] header = new byte[HeaderBytes];
        try
        {
            while (true)
            {
                await from.ReadExactlyAsync(header, _stopping.Token);
                byte[] body = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5))];
                await from.ReadExactlyAsync(body, _stopping.Token);
                if (loses((Opcode)header[4], body))
                {
                    Interlocked.Increment(ref _lost);
                    return;
                }

                await to.WriteAsync((byte[])[.. header, .. body], _stopping.Token);
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    private bool LosesRequest(Opcode opcode, byte[] body) => opcode is Opcode.Execute or Opcode.Batch
        && (Interlocked.Decrement(ref _requestsToLose) >= 0 || (RequestsPerLoss > 0 && Interlocked.Increment(ref _requests) % RequestsPerLoss == 0));

    private bool LosesAnswer(Opcode opcode, byte[] body) =>
        opcode == Opcode.Result && BinaryPrimitives.ReadInt32BigEndian(body) == RowsKind && body.AsSpan().IndexOf("[applied]"u8) >= 0
        && (Interlocked.Decrement(ref _answersToLose) >= 0 || (AnswersPerLoss > 0 && Interlocked.Increment(ref _answers) % AnswersPerLoss == 0));
}
