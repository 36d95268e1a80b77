using System.Diagnostics;

namespace ClickAggregator.Servers;

/// <summary>The Python driver for Cassandra, a client of another make: the package python3-cassandra of Debian, with the system's Python.</summary>
internal static class PythonDriver
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Runs a script that lies beside the test, and returns what it prints; skips the test where the driver is not there.</summary>
    public static async Task<string> RunAsync(string script, string[] arguments, string input = "")
    {
        Assert.SkipUnless(File.Exists(Python) && await ExitAsync("-c", "import cassandra") == 0, "needs the Python driver: apt-get install python3-cassandra");
        using Process process = Start([Path.Combine(AppContext.BaseDirectory, script), .. arguments]);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }

    private static async Task<int> ExitAsync(params string[] arguments)
    {
        using Process process = Start(arguments);
        process.StandardInput.Close();
        _ = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static Process Start(string[] arguments) => Process.Start(new ProcessStartInfo(Python, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
