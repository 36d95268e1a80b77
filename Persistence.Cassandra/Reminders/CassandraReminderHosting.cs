using ClickAggregator.Persistence.Cassandra.Reminders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Hosting;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>Registers the table of reminders with a silo.</summary>
public static class CassandraReminderHosting
{
    // No name of a storage provider: options are kept by name.
    private const string OptionsName = "cassandra:reminders";
    private const string Provider = "reminders";

    /// <summary>Reminders are kept in Cassandra.</summary>
    public static ISiloBuilder UseCassandraReminderService(this ISiloBuilder builder, Action<CassandraOptions> configure) =>
        builder.UseCassandraReminderService(options => options.Configure(configure));

    /// <inheritdoc cref="UseCassandraReminderService(ISiloBuilder, Action{CassandraOptions})"/>
    public static ISiloBuilder UseCassandraReminderService(this ISiloBuilder builder, Action<OptionsBuilder<CassandraOptions>> configure)
    {
        builder.Services.AddReminders();
        builder.Services.AddCassandra(OptionsName, Provider, configure);
        builder.Services.AddSingleton<IReminderTable>(services =>
        {
            (CassandraOptions options, CassandraSession session) = services.GetCassandra(OptionsName, Provider);
            return new CassandraReminderTable(session, services.GetIds(options).Service);
        });
        return builder;
    }
}
