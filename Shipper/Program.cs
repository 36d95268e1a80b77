using ClickAggregator.Settings;
using ClickAggregator.Shipper.Running;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Shipper;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        IReadOnlyList<SettingRow> table = ProgramSettings.Table();
        var arguments = Arguments.Parse(args, table, ProgramSettings.Names);
        if (arguments.Help)
        {
            SettingsHelp.Write(
                Console.Out, table, "Kafka:Topic=clicks", [("Shipper [settings]", "follows log files and ships their clicks to Kafka, each once")]);
            return ExitCodes.Done;
        }

        IConfiguration configuration = SettingsSource.Build(arguments, ProgramSettings.Names);
        var reader = new SettingReader(configuration);
        ProgramSettings settings = ProgramSettings.Read(reader);
        string[] faults =
            [.. arguments.Faults.Concat(reader.Faults).Concat(UnknownSettings.Find(configuration, reader.Rows, ProgramSettings.Names)).Distinct()];
        if (faults.Length > 0)
        {
            return StartFault.Write(Console.Error, "Shipper", "shipper", faults);
        }

        using var signals = new StopSignals();
        return await ShipperRun.StartAsync(settings, configuration, signals.Stop);
    }
}
