using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ClickAggregator.Readmes;

/// <summary>The C# of a README, held against a file that is compiled with the tests.</summary>
internal static partial class ReadmeCode
{
    /// <summary>Each block of a README stands in ReadmeExample.cs beside the caller.</summary>
    /// <param name="readme">Its path from the repository's root.</param>
    /// <param name="caller">The compiler's.</param>
    public static void AssertCompiles(string readme, [CallerFilePath] string caller = "")
    {
        string here = Path.GetDirectoryName(caller)!;
        string example = Words(File.ReadAllText(Path.Combine(here, "ReadmeExample.cs")));
        string[] blocks = [.. Blocks().Matches(File.ReadAllText(Path.Combine(here, "..", "..", readme))).Select(match => Words(match.Groups[1].Value))];
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(block, example, StringComparison.Ordinal));
    }

    // How a block is indented is not what is compared.
    private static string Words(string code) => string.Join(' ', code.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex("```csharp\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
