namespace ClickAggregator.Settings;

/// <summary>Says in words why a program does not start.</summary>
public static class StartFault
{
    /// <param name="error">Where to.</param>
    /// <param name="name">The program, as it is called.</param>
    /// <param name="what">What it is, in a sentence.</param>
    /// <param name="faults">All of them.</param>
    /// <returns>The exit code.</returns>
    public static int Write(TextWriter error, string name, string what, IReadOnlyList<string> faults)
    {
        ArgumentNullException.ThrowIfNull(error);
        ArgumentNullException.ThrowIfNull(faults);
        error.WriteLine($"The {what} does not start:");
        foreach (string fault in faults)
        {
            error.WriteLine("  " + fault);
        }

        error.WriteLine($"{name} --help lists the settings.");
        return 2;
    }
}
