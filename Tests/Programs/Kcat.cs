using System.Diagnostics;

namespace ClickAggregator.Programs;

/// <summary>Debian's kcat, a Kafka client of another make; null where it is not installed.</summary>
internal static class Kcat
{
    public static string? Path { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(folder => System.IO.Path.Combine(folder, "kcat")).FirstOrDefault(File.Exists);

    /// <summary>Runs it and returns what it printed; throws where it failed.</summary>
    public static Task<string> RunAsync(params string[] arguments) => RunAsync([], arguments);

    /// <summary>Runs it with lines to read.</summary>
    public static async Task<string> RunAsync(IEnumerable<string> input, string[] arguments)
    {
        var start = new ProcessStartInfo(Path!, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process kcat = Process.Start(start)!;
        Task<string> output = kcat.StandardOutput.ReadToEndAsync();
        Task<string> errors = kcat.StandardError.ReadToEndAsync();
        foreach (string line in input)
        {
            await kcat.StandardInput.WriteLineAsync(line);
        }

        kcat.StandardInput.Close();
        await kcat.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return kcat.ExitCode == 0 ? await output : throw new InvalidOperationException($"kcat ended with {kcat.ExitCode}: {await errors}");
    }
}
