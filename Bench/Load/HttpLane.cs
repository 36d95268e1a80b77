using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ClickAggregator.Bench.Load;

/// <summary>One keep-alive connection over a bare socket: the cheapest honest client of an HTTP/1.1 server.</summary>
internal sealed class HttpLane(Uri url) : IDisposable
{
    private readonly byte[] _answer = new byte[64 * 1024];
    private Socket? _socket;

    /// <summary>Posts a body and returns the status.</summary>
    public Task<int> PostAsync(string contentType, byte[] body, CancellationToken cancellationToken)
    {
        byte[] head = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"POST /v1/clicks HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: {contentType}\r\nContent-Length: {body.Length}\r\n\r\n"));
        return SendAsync(head, body, cancellationToken);
    }

    /// <summary>Asks, and returns the status; the body is in <see cref="Body"/>.</summary>
    public Task<int> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {url.Authority}\r\n\r\n"), [], cancellationToken);

    /// <summary>The body of the last answer.</summary>
    public string Body { get; private set; } = "";

    private async Task<int> SendAsync(byte[] head, byte[] body, CancellationToken cancellationToken)
    {
        if (_socket is null)
        {
            _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await _socket.ConnectAsync(url.Host, url.Port, cancellationToken);
        }

        await _socket.SendAsync(new ArraySegment<byte>[] { new(head), new(body) }, SocketFlags.None).WaitAsync(cancellationToken);
        int have = 0;
        int headEnd;
        while ((headEnd = _answer.AsSpan(0, have).IndexOf("\r\n\r\n"u8)) < 0)
        {
            have += await ReceiveAsync(have, cancellationToken);
        }

        int status = int.Parse(Encoding.ASCII.GetString(_answer, 9, 3), CultureInfo.InvariantCulture);
        string headers = Encoding.ASCII.GetString(_answer, 0, headEnd);
        int start = headEnd + 4;
        if (headers.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            while (!_answer.AsSpan(start, have - start).EndsWith("0\r\n\r\n"u8))
            {
                have += await ReceiveAsync(have, cancellationToken);
            }
        }
        else
        {
            int at = headers.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
            int length = at < 0 ? 0 : int.Parse(headers.AsSpan(at + 16).ToString().Split('\r')[0], CultureInfo.InvariantCulture);
            while (have < start + length)
            {
                have += await ReceiveAsync(have, cancellationToken);
            }
        }

        Body = Encoding.UTF8.GetString(_answer, start, have - start);
        if (headers.Contains("Connection: close", StringComparison.OrdinalIgnoreCase))
        {
            Dispose();
        }

        return status;
    }

    private async Task<int> ReceiveAsync(int have, CancellationToken cancellationToken)
    {
        if (have == _answer.Length)
        {
            throw new InvalidOperationException($"an answer is longer than {_answer.Length} bytes");
        }

        int got = await _socket!.ReceiveAsync(_answer.AsMemory(have), cancellationToken);
        return got > 0 ? got : throw new IOException("the server closed the connection in the middle of an answer");
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
