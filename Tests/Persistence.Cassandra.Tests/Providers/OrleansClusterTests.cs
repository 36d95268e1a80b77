using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ClickAggregator.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>A grain that counts its calls in its state, and its ticks for all to see.</summary>
internal interface ITickingGrain : IGrainWithStringKey
{
    Task<long> CountAsync();

    Task StartAsync(TimeSpan period);

    /// <summary>Where it is.</summary>
    Task<SiloAddress> WhereAsync();
}

internal sealed class TickingGrain([PersistentState("state", "state")] IPersistentState<StateTests.Count> state, ILocalSiloDetails silo)
    : Grain, ITickingGrain, IRemindable
{
    public static ConcurrentDictionary<string, int> Ticks { get; } = new();

    public async Task<long> CountAsync()
    {
        state.State.Number++;
        await state.WriteStateAsync();
        return state.State.Number;
    }

    public Task StartAsync(TimeSpan period) => this.RegisterOrUpdateReminder("tick", TimeSpan.Zero, period);

    public Task<SiloAddress> WhereAsync() => Task.FromResult(silo.SiloAddress);

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        Ticks.AddOrUpdate(this.GetPrimaryKeyString(), 1, (_, ticks) => ticks + 1);
        return Task.CompletedTask;
    }
}

/// <summary>Orleans as it is, with all three providers over a real node. Alone: silos under load take each other for dead.</summary>
[Collection(nameof(OrleansClusterTests))]
[CollectionDefinition(nameof(OrleansClusterTests), DisableParallelization = true)]
public sealed class OrleansClusterTests(CassandraServer server, ProviderKeyspace keyspace) : IClassFixture<ProviderKeyspace>
{
    private const int Silos = 3;

    private readonly string _id = $"{Guid.NewGuid()}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silos_join_at_once_and_when_one_dies_without_a_word_state_and_reminders_go_on_at_the_others()
    {
        await server.ContactPointsAsync();
        await using var proxy = new LosingProxy(server.Port);
        var cable = new Cable();
        IHost[] silos = [await SiloAsync(proxy.Port, cable), await SiloAsync(), await SiloAsync()];
        IHost client = await ClientAsync();
        await Task.WhenAll(silos.Select(silo => silo.StartAsync(Cancellation)));
        await client.StartAsync(Cancellation);
        try
        {
            IMembershipTable table = silos[1].Services.GetRequiredService<IMembershipTable>();
            Assert.Equal(Silos, (await table.ReadAllAsync(Cancellation)).Members.Count(member => member.Item1.Status == SiloStatus.Active));

            // On the silo that is going to die, and on others.
            SiloAddress doomed = silos[0].Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
            IGrainFactory grains = client.Services.GetRequiredService<IGrainFactory>();
            var keys = new List<string>();
            bool there = false;
            for (int n = 0; n < 6 || (!there && n < 100); n++)
            {
                string key = $"{_id} {n}";
                keys.Add(key);
                ITickingGrain grain = grains.GetGrain<ITickingGrain>(key);
                there |= (await grain.WhereAsync()).Equals(doomed);
                Assert.Equal(1, await grain.CountAsync());
                await grain.StartAsync(TimeSpan.FromSeconds(1));
            }

            Assert.True(there, "no grain is at the silo that is going to die");
            await Wait.ForAsync("every reminder fires", () => keys.All(key => TickingGrain.Ticks.GetValueOrDefault(key) > 0), seconds: 60);

            // It can neither say goodbye in the table, nor answer anybody.
            proxy.Cut();
            cable.Pull();
            MembershipEntry? last = null;
            await Wait.ForAsync(
                () => (last = table.ReadAllAsync(Cancellation).GetAwaiter().GetResult().TryGet(doomed)?.Item1)?.Status == SiloStatus.Dead,
                () => $"It is not declared dead: {last?.ToFullString()}", seconds: 60);
            Assert.NotEmpty(last!.SuspectTimes!);

            foreach (string key in keys)
            {
                await Wait.ForAsync($"{key} goes on", () => CountsOn(grains.GetGrain<ITickingGrain>(key)), seconds: 60);
                Assert.NotEqual(doomed, await grains.GetGrain<ITickingGrain>(key).WhereAsync());
            }

            Dictionary<string, int> ticks = keys.ToDictionary(key => key, key => TickingGrain.Ticks[key]);
            await Wait.ForAsync("every reminder fires again", () => keys.All(key => TickingGrain.Ticks[key] > ticks[key]), seconds: 60);
        }
        finally
        {
            await client.StopAsync(CancellationToken.None);
            await Task.WhenAll(silos.Skip(1).Select(silo => silo.StopAsync(CancellationToken.None)));
            await Task.WhenAll(silos.Skip(1).Append(client).Select(host => ProviderKeyspace.CloseAsync(host).AsTask()));

            // Nobody waits for the dead: it goes on saying goodbye for two minutes.
            _ = ProviderKeyspace.CloseAsync(silos[0]).AsTask();
        }
    }

    // The directory forgets the dead silo a moment after the table does.
    private static bool CountsOn(ITickingGrain grain)
    {
        try
        {
            return grain.CountAsync().GetAwaiter().GetResult() > 1;
        }
        catch (Exception fault) when (fault is OrleansException or TimeoutException)
        {
            return false;
        }
    }

    private async Task<IHost> SiloAsync(int port = 0, Cable? cable = null)
    {
        Action<CassandraOptions> options = await keyspace.OptionsAsync(port);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(ids => (ids.ServiceId, ids.ClusterId) = (_id, _id));
            silo.ConfigureEndpoints(IPAddress.Loopback, FreePort(), FreePort());
            silo.UseCassandraClustering(options);
            silo.UseCassandraReminderService(options);
            silo.AddCassandraGrainStorage("state", options);
            silo.Configure<SiloConnectionOptions>(connections => cable?.Attach(connections));
            silo.Configure<SiloMessagingOptions>(messages => messages.ResponseTimeout = TimeSpan.FromSeconds(10));
            silo.Configure<ReminderOptions>(reminders =>
            {
                reminders.MinimumReminderPeriod = TimeSpan.FromMilliseconds(100);
                reminders.RefreshReminderListPeriod = TimeSpan.FromSeconds(2);
            });
            silo.Configure<ClusterMembershipOptions>(membership =>
            {
                membership.ProbeTimeout = TimeSpan.FromSeconds(2);
                membership.NumMissedProbesLimit = 2;
                membership.TableRefreshTimeout = TimeSpan.FromSeconds(2);
                membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(2);
            });
        });
        return builder.Build();
    }

    private async Task<IHost> ClientAsync()
    {
        Action<CassandraOptions> options = await keyspace.OptionsAsync();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(ids => (ids.ServiceId, ids.ClusterId) = (_id, _id));
            client.UseCassandraClustering(options);
            client.Configure<ClientMessagingOptions>(messages => messages.ResponseTimeout = TimeSpan.FromSeconds(10));
            client.Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(1));
        });
        return builder.Build();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
