using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

public class CassandraOptionsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Only_the_contact_points_are_required()
    {
        var options = new CassandraOptions();
        Assert.Equal(["CqlOptions.ContactPoints must be names or addresses of at least one node, without a port"], options.Validate());
        options.Cql.ContactPoints.Add("host");
        Assert.Empty(options.Validate());
        Assert.Equal(("orleans", "", true, "", "", 3 << 20), (
            options.Keyspace, options.Replication, options.CreateSchema, options.ServiceId, options.ClusterId, options.MaxStateBytes));
        Assert.Equal((CqlConsistency.LocalQuorum, CqlConsistency.LocalSerial), (options.Cql.Consistency, options.Cql.SerialConsistency));
    }

    [Fact]
    public void All_faults_are_told_at_once()
    {
        var options = new CassandraOptions { Keyspace = "", Replication = "3", MaxStateBytes = 1 };
        options.Cql.ContactPoints.Add("host");
        Assert.Equal(
            [
                "CassandraOptions.Keyspace must be 1 to 48 of the characters a-z 0-9 _, a letter first",
                "CassandraOptions.MaxStateBytes must be between 1 KiB and 15 MiB",
                "CassandraOptions.Replication must be a map such as {'class': 'NetworkTopologyStrategy', 'dc1': 3}: names in single quotes, "
                + "of letters, digits, and _ . : / -, and numbers",
            ],
            options.Validate());
    }

    [Fact]
    public async Task A_silo_with_faulty_options_does_not_start()
    {
        IHost host = ProviderKeyspace.Silo("mine", silo => silo.AddCassandraGrainStorageAsDefault(options => options.MaxStateBytes = 0));
        try
        {
            var fault = await Assert.ThrowsAsync<OrleansConfigurationException>(() => host.StartAsync(Cancellation));
            Assert.Equal(
                "Cassandra grain storage 'Default': CqlOptions.ContactPoints must be names or addresses of at least one node, without a port; "
                + "CassandraOptions.MaxStateBytes must be between 1 KiB and 15 MiB", fault.Message);
        }
        finally
        {
            await ProviderKeyspace.CloseAsync(host);
        }
    }

    [Fact]
    public async Task Options_come_from_configuration_too()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Cassandra:Cql:ContactPoints:0"] = "cassandra-1",
            ["Cassandra:Cql:ContactPoints:1"] = "cassandra-2",
            ["Cassandra:Cql:SerialConsistency"] = "Serial",
            ["Cassandra:Cql:Tls:Enabled"] = "true",
            ["Cassandra:Keyspace"] = "mine",
            ["Cassandra:Replication"] = "{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc2': 3}",
        });
        builder.UseOrleans(silo => ReadmeExample.Configured(silo.UseLocalhostClustering()));
        IHost host = builder.Build();
        CassandraOptions options = host.Services.GetRequiredService<IOptionsMonitor<CassandraOptions>>().Get("state");
        Assert.Empty(options.Validate());
        Assert.Equal(["cassandra-1", "cassandra-2"], options.Cql.ContactPoints);
        Assert.Equal((CqlConsistency.Serial, true, "mine"), (options.Cql.SerialConsistency, options.Cql.Tls.Enabled, options.Keyspace));
        await ProviderKeyspace.CloseAsync(host);
    }

    [Fact]
    public async Task Equal_options_share_their_connections_and_others_do_not()
    {
        await using var sessions = new CassandraSessions(new RecordedLogs());
        CassandraSession session = sessions.Get(New());
        Assert.Same(session, sessions.Get(New()));
        Assert.Same(session, sessions.Get(New(options => options.ServiceId = "another")));
        foreach (Action<CassandraOptions> change in new Action<CassandraOptions>[]
        {
            options => options.Keyspace = "another",
            options => options.Cql.Password = "another",
            options => options.Cql.ContactPoints.Add("another"),
            options => options.Cql.Tls.Enabled = true,
            options => options.CreateSchema = false,
            options => options.Cql.RequestTimeout = TimeSpan.FromSeconds(1),
        })
        {
            Assert.NotSame(session, sessions.Get(New(change)));
        }
    }

    [Fact]
    public async Task The_password_is_not_among_the_options_that_a_silo_prints()
    {
        IHost host = ProviderKeyspace.Silo("mine", silo => silo.AddCassandraGrainStorage("state", options =>
        {
            options.Cql.ContactPoints.Add("host");
            (options.Cql.User, options.Cql.Password) = ("someone", "a secret that nobody sees");
        }));
        string[] printed = [.. host.Services.GetServices<IOptionFormatter>().SelectMany(formatter => formatter.Format())];
        await ProviderKeyspace.CloseAsync(host);
        Assert.Contains("Keyspace: orleans", printed);
        Assert.DoesNotContain(printed, line => line.Contains("a secret", StringComparison.Ordinal));
        Assert.Equal("Cassandra at host port 9042, keyspace orleans, user user, password ***", $"{New()}");
    }

    private static CassandraOptions New(Action<CassandraOptions>? change = null)
    {
        var options = new CassandraOptions();
        options.Cql.ContactPoints.Add("host");
        (options.Cql.User, options.Cql.Password) = ("user", "password");
        change?.Invoke(options);
        return options;
    }
}
