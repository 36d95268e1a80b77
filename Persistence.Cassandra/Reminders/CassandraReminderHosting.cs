using ClickAggregator.Persistence.Cassandra.Reminders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>Registers the table of reminders with a silo.</summary>
public static class CassandraReminderHosting
{
    // No name of a storage provider: options are kept by name.
    private const string OptionsName = "cassandra:reminders";

    /// <summary>Reminders are kept in Cassandra.</summary>
    public static ISiloBuilder UseCassandraReminderService(this ISiloBuilder builder, Action<CassandraOptions> configure) =>
        builder.UseCassandraReminderService(options => options.Configure(configure));

    /// <inheritdoc cref="UseCassandraReminderService(ISiloBuilder, Action{CassandraOptions})"/>
    public static ISiloBuilder UseCassandraReminderService(this ISiloBuilder builder, Action<OptionsBuilder<CassandraOptions>> configure)
    {
        builder.Services.AddReminders();
        builder.Services.AddCassandra(OptionsName, "reminders", configure);
        builder.Services.AddSingleton<IReminderTable>(services =>
        {
            CassandraOptions options = services.GetRequiredService<IOptionsMonitor<CassandraOptions>>().Get(OptionsName);
            return new CassandraReminderTable(
                services.GetRequiredService<CassandraSessions>().Get(options),
                options.ServiceId.Length > 0 ? options.ServiceId : services.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId);
        });
        return builder;
    }
}
