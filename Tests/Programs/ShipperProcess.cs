namespace ClickAggregator.Programs;

/// <summary>Starts the shipper as a process of its own.</summary>
internal static class ShipperProcess
{
    /// <summary>Starts it and waits until it has said what it does.</summary>
    public static async Task<ProgramProcess> StartAsync(params string[] arguments)
    {
        ProgramProcess shipper = ProgramProcess.Start("Shipper", arguments);
        await shipper.UntilItSaysAsync("  stop        Ctrl+C");
        return shipper;
    }

    /// <summary>Runs it to its end and returns what it printed.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        await using ProgramProcess shipper = ProgramProcess.Start("Shipper", arguments);
        int code = await shipper.WaitForExitAsync();
        return (code, shipper.Output);
    }
}
