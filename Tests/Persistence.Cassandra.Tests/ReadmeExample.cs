using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Hosting;

namespace ClickAggregator.Persistence.Cassandra.Tests;

/// <summary>The code of the READMEs, as a whole that compiles.</summary>
internal static class ReadmeExample
{
    public static async Task RunAsync(
        string secret, ILoggerFactory loggers, string key, long count, long stamp, byte[] payload, Guid nonce, Guid etag, TextWriter log, CancellationToken ct)
    {
        var options = new CqlOptions { Port = 9042, LocalDataCenter = "dc1", User = "counter", Password = secret };
        options.ContactPoints.Add("cassandra-1");
        options.ContactPoints.Add("cassandra-2");
        options.Tls.Enabled = true;
        await using CqlDataSource cql = CqlDataSource.Create(options, loggers);
        await cql.OpenAsync(ct);

        var put = new CqlStatement("INSERT INTO clicks.t (k, n) VALUES (?, ?) USING TIMESTAMP ?", idempotent: true);
        await cql.ExecuteAsync(put.Bind(key, count, stamp), ct);

        long total = 0;
        await foreach (CqlRow row in cql.QueryAsync($"SELECT n FROM clicks.t WHERE k = {key}", ct))
        {
            total += row.Get<long>("n");
        }

        CqlIdentifier keyspace = CqlIdentifier.Parse(options.Keyspace);
        var get = new CqlStatement($"SELECT n FROM {keyspace}.t WHERE k = ?") { Consistency = CqlConsistency.Serial, PageSize = 500 };
        CqlRow? first = await cql.QueryFirstAsync(get.Bind(key), ct);

        var update = new CqlStatement("UPDATE clicks.state SET payload = ?, etag = ? WHERE k = ? IF etag = ?");
        CasResult result = await cql.CompareAndSetAsync(update.Bind(payload, nonce, key, etag), ct);
        switch (result.Outcome)
        {
            case CasOutcome.Applied:
                break;
            case CasOutcome.Rejected when result.CurrentRow.Has("etag"):
                etag = result.CurrentRow.Get<Guid>("etag");
                break;
            case CasOutcome.Unknown:
                log.WriteLine(result.Fault);
                break;
        }

        var batch = new CqlBatch { Timestamp = stamp };
        batch.Add(put.Bind(key, 1L, stamp)).Add(put.Bind(key, 2L, stamp + 1));
        await cql.ExecuteAsync(batch, ct);
        log.WriteLine($"{total} {first is not null} {etag}");
    }

    public static void Silo(IHostApplicationBuilder builder)
    {
        builder.UseOrleans(silo => silo
            .UseCassandraClustering(Cassandra)
            .UseCassandraReminderService(Cassandra)
            .AddCassandraGrainStorage("state", Cassandra));

        static void Cassandra(CassandraOptions options)
        {
            options.Cql.ContactPoints.Add("cassandra-1");
            options.Cql.ContactPoints.Add("cassandra-2");
            options.Cql.LocalDataCenter = "dc1";
            options.Keyspace = "orleans";
        }
    }

    public static void Client(IHostApplicationBuilder builder, Action<CassandraOptions> Cassandra) =>
        builder.UseOrleansClient(client => client.UseCassandraClustering(Cassandra));

    public static void Configured(ISiloBuilder silo) =>
        silo.AddCassandraGrainStorage("state", options => options.BindConfiguration("Cassandra"));

    public static void Script() =>
        Console.Write(SchemaScript.Of(
            CqlIdentifier.Parse("orleans"), "{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc2': 3}", OrleansSchema.Part));
}
