using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ClickAggregator.Streaming.Kafka.Tests;

public partial class ReadmeTests
{
    [Fact]
    public void The_code_of_the_README_is_code_that_compiles()
    {
        string here = Folder();
        string example = Words(File.ReadAllText(Path.Combine(here, "ReadmeExample.cs")));
        string readme = File.ReadAllText(Path.Combine(here, "..", "..", "Streaming.Kafka", "README.md"));
        string[] blocks = [.. Blocks().Matches(readme).Select(match => Words(match.Groups[1].Value))];
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(block, example, StringComparison.Ordinal));
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    // How a block is indented is not what is compared.
    private static string Words(string code) => string.Join(' ', code.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex("```csharp\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
