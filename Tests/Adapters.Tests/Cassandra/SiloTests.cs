using System.Net;
using System.Net.Sockets;
using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Cassandra;

public class SiloTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Hour = 500_000;
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task A_silo_makes_the_tables_when_it_starts_and_has_the_store_behind_all_its_ports()
    {
        using IHost silo = Silo(await keyspace.OptionsAsync(server));
        await silo.StartAsync(s_go);

        IGrainStorage windows = silo.Services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Windows);
        await windows.WriteAsync(new WindowKey("ad:1", Hour, 0), Row(10, 0, 5));
        await silo.Services.GetRequiredService<IBatchStore>().WriteAsync(new BatchRows(0, 1, 10, [Hour], [], [new PageRow("page:p-1", "https://one/", 5)]), s_go);

        ICountReader counts = silo.Services.GetRequiredService<ICountReader>();
        Assert.Equal(5, Assert.Single(await counts.ReadHoursAsync(["ad:1"], Hour, Hour + 1, true, s_go)).Quarters[0]);
        Assert.Equal([new(Hour, 0, 1)], await silo.Services.GetRequiredService<ILedgerStore>().ReadOpenHoursAsync(Hour, Hour + 1, 10, s_go));
        Assert.Equal("https://one/", (await counts.ReadPageUrlsAsync(["p-1"], s_go))["p-1"]);
        await silo.StopAsync(s_go);
        _ = await keyspace.CqlAsync(server); // which drops it
    }

    [Fact]
    public async Task A_silo_whose_tables_are_missing_and_may_not_be_made_does_not_start()
    {
        CassandraStoreOptions options = await keyspace.OptionsAsync(server);
        using IHost silo = Silo(options with
        {
            Cassandra = cassandra =>
            {
                options.Cassandra(cassandra);
                cassandra.Keyspace = keyspace.Name + "_none";
                cassandra.CreateSchema = false;
            },
        });

        // What the store does at the silo's start, alone: of a silo that did not start Orleans' directory goes on for as long as the process.
        var start = new SiloLifecycleSubject(NullLogger<SiloLifecycleSubject>.Instance);
        foreach (ILifecycleParticipant<ISiloLifecycle> part in silo.Services.GetServices<ILifecycleParticipant<ISiloLifecycle>>())
        {
            if (part.GetType().Assembly == typeof(CassandraStore).Assembly)
            {
                part.Participate(start);
            }
        }

        await Assert.ThrowsAsync<SchemaUnusableException>(() => start.OnStart(s_go));
    }

    [Fact]
    public void Faults_of_the_options_are_told_at_once()
    {
        var options = new CassandraStoreOptions { Cassandra = _ => { }, MaxWindows = 0 };
        ArgumentException told = Assert.Throws<ArgumentException>(() => Silo(options));
        Assert.StartsWith("CqlOptions.ContactPoints must be", told.Message, StringComparison.Ordinal);
        Assert.Contains("; CassandraStoreOptions.MaxWindows must be between 1 and 100,000", told.Message, StringComparison.Ordinal);
    }

    private static IHost Silo(CassandraStoreOptions options) => new HostBuilder()
        .UseOrleans(silo => silo.UseLocalhostClustering(FreePort(), FreePort()).AddCassandraStore(options)).Build();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
