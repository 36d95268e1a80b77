using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Tests.Real;
using ClickAggregator.Servers;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>A keyspace for the tests of a class, made by the providers and dropped in the end; each test has a service and a cluster of its own.</summary>
public sealed class ProviderKeyspace(CassandraServer server) : IAsyncDisposable
{
    private CqlOptions? _used;

    public string Name { get; } = $"t{Guid.NewGuid():N}";

    /// <summary>Sets the options of a provider; skips the test where there is no Cassandra.</summary>
    /// <param name="port">That of a proxy; 0 for the node's own.</param>
    public async Task<Action<CassandraOptions>> OptionsAsync(int port = 0)
    {
        CqlOptions used = _used ??= await TestKeyspace.OptionsAsync(server);
        return options =>
        {
            foreach (string point in used.ContactPoints)
            {
                options.Cql.ContactPoints.Add(point);
            }

            options.Cql.Port = port > 0 ? port : used.Port;
            options.Cql.ReconnectDelay = TimeSpan.FromMilliseconds(10);
            options.Cql.ReconnectMaxDelay = TimeSpan.FromMilliseconds(50);
            options.Cql.RequestTimeout = used.RequestTimeout;
            options.Keyspace = Name;
        };
    }

    /// <summary>A silo with providers that is built and not started.</summary>
    public static IHost Silo(string id, Action<ISiloBuilder> configure)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering();
            silo.Configure<ClusterOptions>(options => (options.ServiceId, options.ClusterId) = (id, id));
            configure(silo);
        });
        return builder.Build();
    }

    public static ValueTask CloseAsync(IHost host) => ((IAsyncDisposable)host).DisposeAsync();

    /// <summary>The real node, past all providers.</summary>
    public CqlDataSource Look() => CqlDataSource.Create(_used!);

    public async ValueTask DisposeAsync()
    {
        if (_used is not null)
        {
            await using CqlDataSource cql = Look();
            await cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE IF EXISTS {CqlIdentifier.Parse(Name)}"));
        }
    }
}
