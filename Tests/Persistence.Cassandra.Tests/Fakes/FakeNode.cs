using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Tests.Fakes;

/// <summary>A node that speaks version 4, answers what a client asks of the cluster, and breaks what a test wants broken.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly FakeCluster _cluster;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<int, (NetworkStream Stream, SemaphoreSlim Turn)> _connections = new();
    private TcpListener? _listener;
    private int _count;

    public FakeNode(FakeCluster cluster, IPAddress address, int port)
    {
        _cluster = cluster;
        Address = new IPEndPoint(address, port);
    }

    public IPEndPoint Address { get; private set; }

    public string DataCenter { get; set; } = "dc1";

    public string Rack { get; set; } = "r1";

    public IReadOnlyList<long> Tokens { get; set; } = [0];

    public Guid SchemaVersion { get; set; } = new("11111111-1111-1111-1111-111111111111");

    /// <summary>Requests that came, in order.</summary>
    public ConcurrentQueue<FakeRequest> Requests { get; } = new();

    /// <summary>Reads on, but answers nothing, as a process that is stopped.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>Sends every byte by itself.</summary>
    public bool SplitsFrames { get; set; }

    public int Connections => _connections.Count;

    public IEnumerable<FakeRequest> Of(Opcode opcode) => Requests.Where(request => request.Opcode == opcode);

    public void Start()
    {
        _listener = new TcpListener(Address);
        _listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Start();
        Address = (IPEndPoint)_listener.LocalEndpoint;
        _ = AcceptAsync(_listener);
    }

    /// <summary>Refuses connections from now on, and drops those that there are.</summary>
    public void Stop()
    {
        _listener?.Stop();
        DropConnections();
    }

    public void DropConnections()
    {
        foreach ((NetworkStream stream, _) in _connections.Values)
        {
            stream.Socket.Close(0);
        }
    }

    /// <summary>Sends an event, or anything, to those connections that registered for it.</summary>
    public async Task PushAsync(Reply reply)
    {
        foreach (FakeRequest registered in Of(Opcode.Register).ToArray())
        {
            if (_connections.TryGetValue(registered.Connection, out (NetworkStream Stream, SemaphoreSlim Turn) connection))
            {
                await SendAsync(connection.Stream, connection.Turn, reply, -1);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _stopping.CancelAsync();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                Socket socket = await listener.AcceptSocketAsync(_stopping.Token);
                _ = ServeAsync(new NetworkStream(socket, ownsSocket: true), Interlocked.Increment(ref _count));
            }
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(NetworkStream stream, int number)
    {
        using var turn = new SemaphoreSlim(1);
        _connections[number] = (stream, turn);
        try
        {
            byte[] header = new byte[FrameHeader.Size];
            while (true)
            {
                await stream.ReadExactlyAsync(header, _stopping.Token);
                byte[] body = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5))];
                await stream.ReadExactlyAsync(body, _stopping.Token);
                var request = new FakeRequest(
                    this, number, BinaryPrimitives.ReadInt16BigEndian(header.AsSpan(2)), (Opcode)header[4], body);
                Assert.Equal(4, header[0]);
                Requests.Enqueue(request);
                if (!IsFrozen)
                {
                    Reply reply = _cluster.Answer(request);
                    Task sent = AnswerAsync(stream, turn, reply, request.Stream);
                    if (reply.After.IsCompleted)
                    {
                        await sent;
                    }
                }
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The other side is gone, or the test.
        }
        finally
        {
            _connections.TryRemove(number, out _);
            await stream.DisposeAsync();
        }
    }

    private async Task AnswerAsync(NetworkStream stream, SemaphoreSlim turn, Reply reply, short requested)
    {
        await reply.After;
        if (reply == Reply.Drop)
        {
            stream.Socket.Close(0);
        }
        else if (reply != Reply.None)
        {
            await SendAsync(stream, turn, reply, requested);
        }
    }

    private async Task SendAsync(NetworkStream stream, SemaphoreSlim turn, Reply reply, short requested)
    {
        byte[] frame = new byte[FrameHeader.Size + reply.Body.Length];
        frame[0] = reply.Version;
        frame[1] = (byte)reply.Flags;
        BinaryPrimitives.WriteInt16BigEndian(frame.AsSpan(2), reply.Stream ?? requested);
        frame[4] = (byte)reply.Opcode;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), reply.Length ?? reply.Body.Length);
        reply.Body.CopyTo(frame, FrameHeader.Size);
        try
        {
            await turn.WaitAsync(_stopping.Token);
            try
            {
                for (int at = 0; at < frame.Length; at += SplitsFrames ? 1 : frame.Length)
                {
                    await stream.WriteAsync(frame.AsMemory(at, SplitsFrames ? 1 : frame.Length), _stopping.Token);
                }
            }
            finally
            {
                turn.Release();
            }
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The other side is gone.
        }
    }
}
