using System.Runtime.CompilerServices;

namespace ClickAggregator.Deploy.Tests;

/// <summary>The files that are checked are the repository's own.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Here(), "..", ".."));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
