using System.Net;
using System.Text.Json;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Tests.Real;
using ClickAggregator.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Hosting;
using Orleans.Messaging;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>What Orleans asks of a membership table, on a real node.</summary>
public sealed class MembershipTests(CassandraServer server, ProviderKeyspace keyspace) : IClassFixture<ProviderKeyspace>, IAsyncDisposable
{
    private static readonly DateTime s_now = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly string _cluster = $"{Guid.NewGuid()}";
    private readonly List<IHost> _hosts = [];
    private int _generation;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cluster_that_was_never_written_has_version_0_and_nobody()
    {
        IMembershipTable table = await OpenAsync();
        MembershipTableData data = await table.ReadAllAsync(Cancellation);
        Assert.Empty(data.Members);
        Assert.Equal(0, data.Version.Version);
        Assert.NotNull(data.Version.VersionEtag);
    }

    [Fact]
    public async Task A_silo_is_inserted_once_and_with_it_the_version()
    {
        IMembershipTable table = await OpenAsync();
        MembershipEntry silo = NewSilo();
        TableVersion first = (await table.ReadAllAsync(Cancellation)).Version.Next();
        Assert.True(await table.InsertRowAsync(silo, first, Cancellation));
        Assert.False(await table.InsertRowAsync(silo, first, Cancellation));
        Assert.False(await table.InsertRowAsync(NewSilo(), first, Cancellation));

        MembershipTableData data = await table.ReadAllAsync(Cancellation);
        Assert.Equal(1, data.Version.Version);
        Assert.NotEqual(first.VersionEtag, data.Version.VersionEtag);
        Assert.False(await table.InsertRowAsync(silo, data.Version.Next(), Cancellation));
        Assert.Equal(data.Version, (await table.ReadAllAsync(Cancellation)).Version);

        data = await table.ReadRowAsync(silo.SiloAddress, Cancellation);
        (MembershipEntry read, string etag) = Assert.Single(data.Members);
        Assert.Equal(silo.ToFullString(), read.ToFullString());
        Assert.NotEmpty(etag);
        Assert.Equal(1, data.Version.Version);

        data = await table.ReadRowAsync(NewSilo().SiloAddress, Cancellation);
        Assert.Empty(data.Members);
        Assert.Equal(1, data.Version.Version);
    }

    [Fact]
    public async Task An_update_needs_the_etags_of_the_row_and_of_the_version()
    {
        IMembershipTable table = await OpenAsync();
        for (int count = 1; count < 4; count++)
        {
            MembershipEntry silo = NewSilo();
            silo.SuspectTimes = [Tuple.Create(NewSilo().SiloAddress, s_now.AddSeconds(2)), Tuple.Create(NewSilo().SiloAddress, s_now.AddSeconds(1).AddTicks(1))];
            TableVersion old = (await table.ReadAllAsync(Cancellation)).Version.Next();
            Assert.True(await table.InsertRowAsync(silo, old, Cancellation));
            MembershipTableData data = await table.ReadAllAsync(Cancellation);
            string etag = data.TryGet(silo.SiloAddress)!.Item2;
            Assert.False(await table.UpdateRowAsync(silo, etag, old, Cancellation));

            silo.Status = SiloStatus.Active;
            TableVersion next = data.Version.Next();
            foreach (string wrong in new[] { $"{Guid.NewGuid()}", "", "an etag of another store" })
            {
                Assert.False(await table.UpdateRowAsync(silo, wrong, next, Cancellation));
            }

            Assert.True(await table.UpdateRowAsync(silo, etag, next, Cancellation));
            Assert.False(await table.UpdateRowAsync(silo, etag, next, Cancellation));
            data = await table.ReadAllAsync(Cancellation);
            (MembershipEntry read, string after) = data.TryGet(silo.SiloAddress)!;
            Assert.Equal(silo.ToFullString(), read.ToFullString());
            Assert.Equal(silo.SuspectTimes, read.SuspectTimes);
            Assert.NotEqual(etag, after);
            Assert.False(await table.UpdateRowAsync(silo, after, next, Cancellation));
            Assert.False(await table.UpdateRowAsync(NewSilo(), after, data.Version.Next(), Cancellation));
            Assert.Equal((2 * count, count), (data.Version.Version, data.Members.Count));
        }
    }

    [Fact]
    public async Task Of_twenty_who_insert_the_same_silo_one_does()
    {
        IMembershipTable table = await OpenAsync();
        MembershipEntry silo = NewSilo();
        TableVersion next = (await table.ReadAllAsync(Cancellation)).Version.Next();
        bool[] won = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => table.InsertRowAsync(silo, next, Cancellation)));
        Assert.Single(won, true);
    }

    [Fact]
    public async Task Silos_that_join_at_once_and_lose_answers_all_get_in_and_the_version_counts_them()
    {
        const int Silos = 12;
        await server.ContactPointsAsync();
        await using var proxy = new LosingProxy(server.Port);
        IMembershipTable table = await OpenAsync(proxy.Port);
        IMembershipTable watcher = await OpenAsync();
        await table.ReadAllAsync(Cancellation);
        proxy.AnswersPerLoss = 7;
        MembershipEntry[] silos = [.. Enumerable.Range(0, Silos).Select(_ => NewSilo())];
        Task joined = Task.WhenAll(silos.Select(silo => JoinAsync(table, silo)));
        var seen = new List<int>();
        while (!joined.IsCompleted)
        {
            seen.Add((await watcher.ReadAllAsync(Cancellation)).Version.Version);
        }

        await joined;
        MembershipTableData data = await watcher.ReadAllAsync(Cancellation);
        Assert.Equal((Silos, Silos), (data.Version.Version, data.Members.Count));
        Assert.Equal(seen.Order(), seen);
        Assert.True(proxy.Lost > 0);
    }

    [Fact]
    public async Task A_batch_whose_answer_was_lost_is_known_to_be_applied_and_one_that_never_arrived_is_sent_again()
    {
        await server.ContactPointsAsync();
        await using var proxy = new LosingProxy(server.Port);
        IMembershipTable table = await OpenAsync(proxy.Port);
        MembershipEntry silo = NewSilo();
        TableVersion version = (await table.ReadAllAsync(Cancellation)).Version;
        proxy.LoseAnswers(1);
        Assert.True(await table.InsertRowAsync(silo, version.Next(), Cancellation));

        IMembershipTable direct = await OpenAsync();
        MembershipTableData data = await direct.ReadAllAsync(Cancellation);
        Assert.Equal(1, data.Version.Version);
        silo.Status = SiloStatus.Active;
        proxy.LoseRequests(1);
        Assert.True(await table.UpdateRowAsync(silo, data.Members[0].Item2, data.Version.Next(), Cancellation));
        data = await direct.ReadAllAsync(Cancellation);
        Assert.Equal((2, SiloStatus.Active), (data.Version.Version, data.Members[0].Item1.Status));
        Assert.Equal(2, proxy.Lost);
    }

    [Fact]
    public async Task Signs_of_life_change_neither_etags_nor_version_and_the_latest_stays()
    {
        IMembershipTable table = await OpenAsync();
        MembershipEntry silo = NewSilo();
        await JoinAsync(table, silo);
        MembershipTableData before = await table.ReadAllAsync(Cancellation);
        foreach (int seconds in new[] { 30, 60, 45 })
        {
            await table.UpdateIAmAliveAsync(new MembershipEntry { SiloAddress = silo.SiloAddress, IAmAliveTime = s_now.AddSeconds(seconds) }, Cancellation);
        }

        MembershipTableData after = await table.ReadAllAsync(Cancellation);
        Assert.Equal(s_now.AddSeconds(60), after.Members[0].Item1.IAmAliveTime);
        Assert.Equal((before.Version, before.Members[0].Item2), (after.Version, after.Members[0].Item2));
        Assert.True(await table.UpdateRowAsync(silo, before.Members[0].Item2, before.Version.Next(), Cancellation));
        Assert.Equal(s_now.AddSeconds(60), (await table.ReadAllAsync(Cancellation)).Members[0].Item1.IAmAliveTime);

        await table.UpdateIAmAliveAsync(NewSilo(), Cancellation);
        Assert.Single((await table.ReadAllAsync(Cancellation)).Members);
    }

    [Fact]
    public async Task The_clean_up_removes_the_dead_who_were_last_seen_before_and_nobody_else()
    {
        IMembershipTable table = await OpenAsync();
        DateTime cutoff = s_now.AddDays(-7);
        var kept = new List<SiloAddress>();
        foreach (SiloStatus status in Enum.GetValues<SiloStatus>())
        {
            MembershipEntry old = NewSilo(status, cutoff.AddDays(-3));
            MembershipEntry fresh = NewSilo(status, s_now);
            await JoinAsync(table, old);
            await JoinAsync(table, fresh);
            kept.Add(fresh.SiloAddress);
            if (status != SiloStatus.Dead)
            {
                kept.Add(old.SiloAddress);
            }
        }

        MembershipEntry exactly = NewSilo(SiloStatus.Dead, cutoff);
        MembershipEntry heard = NewSilo(SiloStatus.Dead, cutoff.AddDays(-3));
        MembershipEntry suspected = NewSilo(SiloStatus.Dead, cutoff.AddDays(-3));
        suspected.SuspectTimes = [Tuple.Create(heard.SiloAddress, s_now)];
        foreach (MembershipEntry silo in new[] { exactly, heard, suspected })
        {
            await JoinAsync(table, silo);
            kept.Add(silo.SiloAddress);
        }

        await table.UpdateIAmAliveAsync(new MembershipEntry { SiloAddress = heard.SiloAddress, IAmAliveTime = s_now }, Cancellation);
        TableVersion version = (await table.ReadAllAsync(Cancellation)).Version;

        await table.CleanupDefunctSiloEntriesAsync(cutoff, Cancellation);

        MembershipTableData data = await table.ReadAllAsync(Cancellation);
        Assert.Equal(kept.ToHashSet(), data.Members.Select(member => member.Item1.SiloAddress).ToHashSet());
        Assert.Equal(version, data.Version);
    }

    [Fact]
    public async Task A_cluster_is_deleted_whole_and_others_are_not()
    {
        IMembershipTable table = await OpenAsync();
        IMembershipTable other = await OpenAsync(cluster: $"other {_cluster}");
        await JoinAsync(other, NewSilo());
        for (int n = 0; n < 3; n++)
        {
            await JoinAsync(table, NewSilo());
        }

        await other.DeleteMembershipTableEntriesAsync(_cluster, Cancellation);
        await other.DeleteMembershipTableEntriesAsync("never seen", Cancellation);

        MembershipTableData data = await table.ReadAllAsync(Cancellation);
        Assert.Empty(data.Members);
        Assert.Equal(0, data.Version.Version);
        Assert.Single((await other.ReadAllAsync(Cancellation)).Members);
        await JoinAsync(table, NewSilo());
        Assert.Equal(1, (await table.ReadAllAsync(Cancellation)).Version.Version);
    }

    [Fact]
    public async Task Gateways_are_the_active_silos_with_a_port_for_clients()
    {
        IMembershipTable table = await OpenAsync();
        MembershipEntry gateway = NewSilo(SiloStatus.Active);
        MembershipEntry closed = NewSilo(SiloStatus.Active);
        closed.ProxyPort = 0;
        foreach (MembershipEntry silo in new[] { gateway, closed, NewSilo(), NewSilo(SiloStatus.Dead) })
        {
            await JoinAsync(table, silo);
        }

        Action<CassandraOptions> options = await keyspace.OptionsAsync();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client => client.UseCassandraClustering(options + (each => each.ClusterId = _cluster)));
        IHost host = builder.Build();
        _hosts.Add(host);
        IGatewayListProvider gateways = host.Services.GetRequiredService<IGatewayListProvider>();
        await gateways.InitializeGatewayListProviderAsync(Cancellation);

        Uri found = Assert.Single(await gateways.GetGatewaysAsync(Cancellation));
        Assert.Equal(SiloAddress.New(IPAddress.Loopback, 30000, gateway.SiloAddress.Generation).ToGatewayUri(), found);
        Assert.Equal(TimeSpan.FromMinutes(1), gateways.MaxStaleness);
    }

    [Fact]
    public async Task Another_client_reads_the_silos()
    {
        IMembershipTable table = await OpenAsync();
        MembershipEntry silo = NewSilo(SiloStatus.Active);
        await JoinAsync(table, silo);

        string output = await PythonDriver.RunAsync("Real/interop.py", ["rows", "127.0.0.1", $"{server.Port}", keyspace.Name], "membership");

        JsonElement row = JsonDocument.Parse(output).RootElement.EnumerateArray().Single(each => each.GetProperty("cluster").GetString() == _cluster);
        Assert.Equal((silo.SiloAddress.ToParsableString(), "Active", 1, 30000), (
            row.GetProperty("silo").GetString(), row.GetProperty("status").GetString(), row.GetProperty("version").GetInt32(), row.GetProperty("proxy_port").GetInt32()));
        Assert.StartsWith("2026-11-26T12:00:00", row.GetProperty("started").GetString(), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IHost host in _hosts)
        {
            await ProviderKeyspace.CloseAsync(host);
        }
    }

    private static async Task JoinAsync(IMembershipTable table, MembershipEntry silo)
    {
        while (true)
        {
            try
            {
                MembershipTableData data = await table.ReadAllAsync(Cancellation);
                if (data.TryGet(silo.SiloAddress) is not null || await table.InsertRowAsync(silo, data.Version.Next(), Cancellation))
                {
                    return;
                }
            }
            catch (CqlException fault) when (fault.IsTransient)
            {
                // A silo that joins tries again, too.
            }
        }
    }

    private async Task<IMembershipTable> OpenAsync(int port = 0, string? cluster = null)
    {
        Action<CassandraOptions> options = await keyspace.OptionsAsync(port);
        IHost host = ProviderKeyspace.Silo(cluster ?? _cluster, silo => silo.UseCassandraClustering(options));
        _hosts.Add(host);
        IMembershipTable table = host.Services.GetRequiredService<IMembershipTable>();
        await table.InitializeMembershipTableAsync(true, Cancellation);
        return table;
    }

    private MembershipEntry NewSilo(SiloStatus status = SiloStatus.Joining, DateTime? seen = null) => new()
    {
        SiloAddress = SiloAddress.New(IPAddress.Loopback, 12345, Interlocked.Increment(ref _generation)),
        Status = status,
        ProxyPort = 30000,
        HostName = "host",
        SiloName = "silo é",
        StartTime = seen ?? s_now,
        IAmAliveTime = seen ?? s_now,
    };
}
