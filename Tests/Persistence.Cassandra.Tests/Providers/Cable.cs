using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>All connections of a silo, to be torn at once: from outside it looks as if its process had been killed.</summary>
internal sealed class Cable
{
    private readonly Lock _lock = new();
    private readonly List<ConnectionContext> _open = [];
    private bool _isPulled;

    public void Attach(SiloConnectionOptions options)
    {
        options.ConfigureSiloInboundConnection(Watch);
        options.ConfigureSiloOutboundConnection(Watch);
        options.ConfigureGatewayInboundConnection(Watch);
    }

    public void Pull()
    {
        ConnectionContext[] open;
        lock (_lock)
        {
            _isPulled = true;
            open = [.. _open];
        }

        foreach (ConnectionContext connection in open)
        {
            connection.Abort();
        }
    }

    private void Watch(IConnectionBuilder builder) => builder.Use(next => connection =>
    {
        lock (_lock)
        {
            if (!_isPulled)
            {
                _open.Add(connection);
                return next(connection);
            }
        }

        connection.Abort();
        return Task.CompletedTask;
    });
}
