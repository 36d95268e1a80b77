namespace ClickAggregator.Shipper.Running;

/// <summary>Says in words why the program does not start.</summary>
internal static class StartFault
{
    public static int Write(TextWriter error, IReadOnlyList<string> faults)
    {
        error.WriteLine("The shipper does not start:");
        foreach (string fault in faults)
        {
            error.WriteLine("  " + fault);
        }

        error.WriteLine("Shipper --help lists the settings.");
        return ExitCodes.Usage;
    }
}
