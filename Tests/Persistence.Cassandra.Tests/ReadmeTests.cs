using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ClickAggregator.Persistence.Cassandra.Tests;

public partial class ReadmeTests
{
    [Fact]
    public void The_code_of_the_README_is_code_that_compiles()
    {
        string here = Folder();
        string example = Words(File.ReadAllText(Path.Combine(here, "ReadmeExample.cs")));
        string readme = File.ReadAllText(Path.Combine(here, "..", "..", "Persistence.Cassandra", "Cql", "README.md"));
        string[] blocks = [.. Blocks().Matches(readme).Select(match => Words(match.Groups[1].Value))];
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(block, example, StringComparison.Ordinal));
    }

    [Fact]
    public void The_client_knows_no_Orleans()
    {
        string folder = Path.Combine(Folder(), "..", "..", "Persistence.Cassandra", "Cql");
        string[] files = Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.DoesNotContain("Orleans", File.ReadAllText(file), StringComparison.Ordinal));
        Assert.DoesNotContain(
            typeof(Cql.CqlDataSource).Assembly.GetTypes().Where(type => type.Namespace?.StartsWith("ClickAggregator.Persistence.Cassandra.Cql", StringComparison.Ordinal) == true)
                .SelectMany(type => type.GetInterfaces().Append(type.BaseType)),
            parent => parent?.Namespace?.StartsWith("Orleans", StringComparison.Ordinal) == true);
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    // How a block is indented is not what is compared.
    private static string Words(string code) => string.Join(' ', code.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex("```csharp\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
