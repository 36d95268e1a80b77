using System.Net.Security;
using System.Net.Sockets;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>Making a connection, and looking whether there is still somebody at its other end.</summary>
internal sealed partial class CqlConnection
{
    private ITimer? _heartbeat;
    private bool _hasHeard;
    // Of the timer alone.
    private bool _isProbing;

    /// <summary>Connects and authenticates, within <see cref="CqlOptions.ConnectTimeout"/>.</summary>
    /// <exception cref="CqlException">It did not succeed; nothing was asked.</exception>
    public static async Task<CqlConnection> OpenAsync(
        CqlEndpoint endpoint, CqlOptions options, Action<EventMessage>? onEvent, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        Deadline deadline = Deadline.After(time, options.ConnectTimeout);
        using CancellationTokenSource limit = deadline.ToSource(cancellationToken);
        ServerTrust? trust = options.Tls.Enabled ? new ServerTrust(options.Tls, endpoint.Name) : null;
        CqlConnection? connection = null;
        try
        {
            Stream stream = await ConnectAsync(endpoint, trust, limit.Token).ConfigureAwait(false);
            connection = new CqlConnection(endpoint, stream, options, time, logger) { _onEvent = onEvent };
            _ = connection.ReadAsync();
            await connection.StartAsync(deadline, limit.Token).ConfigureAwait(false);
            return connection;
        }
        catch (Exception fault)
        {
            connection?.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw ConnectFaults.Explain(endpoint, options, trust, connection is not null, fault);
        }
    }

    private static async Task<Stream> ConnectAsync(CqlEndpoint endpoint, ServerTrust? trust, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(endpoint.Address, cancellationToken).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (trust is not null)
            {
                var encrypted = new SslStream(stream);
                stream = encrypted;
                await encrypted.AuthenticateAsClientAsync(trust.Options, cancellationToken).ConfigureAwait(false);
            }

            return stream;
        }
        catch
        {
            if (stream is not null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            socket.Dispose();
            throw;
        }
    }

    // OPTIONS, STARTUP, and what the server wants to know of the user.
    private async Task StartAsync(Deadline deadline, CancellationToken cancellationToken)
    {
        await SendAsync(OptionsRequest.Instance, deadline, cancellationToken).ConfigureAwait(false);
        CqlResponse response = await SendAsync(StartupRequest.Instance, deadline, cancellationToken).ConfigureAwait(false);
        if (response is AuthenticateResponse wanted)
        {
            if (_options.User.Length == 0)
            {
                throw new CqlAuthenticationException($"{Name} wants a user ({wanted.Authenticator}), and {nameof(CqlOptions)}.{nameof(CqlOptions.User)} is not set");
            }

            response = await SendAsync(new AuthResponseRequest(_options.User, _options.Password), deadline, cancellationToken).ConfigureAwait(false);
            if (response is not AuthSuccessResponse)
            {
                throw new CqlAuthenticationException($"{Name} wants more than a user and a password ({wanted.Authenticator})");
            }
        }
        else if (response is not ReadyResponse)
        {
            throw new CqlProtocolException($"{Name} answers STARTUP with {response.GetType().Name}");
        }

        if (_onEvent is not null)
        {
            await SendAsync(RegisterRequest.Instance, deadline, cancellationToken).ConfigureAwait(false);
        }

        ITimer heartbeat = _time.CreateTimer(
            static connection => ((CqlConnection)connection!).OnHeartbeat(), this, _options.HeartbeatInterval, _options.HeartbeatInterval);
        lock (_lock)
        {
            if (_state != ConnectionState.Closed)
            {
                _heartbeat = heartbeat;
                return;
            }
        }

        await heartbeat.DisposeAsync().ConfigureAwait(false);
        throw new CqlConnectionException($"{Name} closed the connection", _fault) { NotSent = true };
    }

    // A frozen node keeps its connections: only silence gives it away.
    private void OnHeartbeat()
    {
        if (Interlocked.Exchange(ref _hasHeard, false))
        {
            _isProbing = false;
            return;
        }

        if (_isProbing)
        {
            Close(new CqlConnectionException($"{Name} gives no sign of life"));
            return;
        }

        _isProbing = true;
        _ = ProbeAsync();
    }

    private async Task ProbeAsync()
    {
        try
        {
            await SendAsync(OptionsRequest.Instance, Deadline.None, isHeartbeat: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (CqlException)
        {
            // The connection is closed already, and whoever waits on it knows why.
        }
    }
}
