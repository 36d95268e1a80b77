using ClickAggregator.Settings;
using ClickAggregator.Silo.Running;
using ClickAggregator.Silo.Settings;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Silo;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        IReadOnlyList<SettingRow> table = SiloSettings.Table();
        var arguments = Arguments.Parse(args, table, SiloSettings.Names);
        if (arguments.Help)
        {
            SettingsHelp.Write(
                Console.Out, table, "Kafka:Topic=clicks", [("Silo [settings]", "counts clicks from Kafka into Cassandra, together with other silos")]);
            return 0;
        }

        IConfiguration configuration = SettingsSource.Build(arguments, SiloSettings.Names);
        var reader = new SettingReader(configuration);
        SiloSettings settings = SiloSettings.Read(reader);
        string[] faults =
            [.. arguments.Faults.Concat(reader.Faults).Concat(UnknownSettings.Find(configuration, reader.Rows, SiloSettings.Names)).Distinct()];
        return faults.Length > 0
            ? StartFault.Write(Console.Error, "Silo", "silo", faults)
            : await SiloRun.RunAsync(settings, configuration, TimeProvider.System);
    }
}
