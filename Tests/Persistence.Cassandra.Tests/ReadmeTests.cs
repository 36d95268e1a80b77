using System.Runtime.CompilerServices;
using ClickAggregator.Readmes;

namespace ClickAggregator.Persistence.Cassandra.Tests;

public class ReadmeTests
{
    [Fact]
    public void The_code_of_the_README_is_code_that_compiles() => ReadmeCode.AssertCompiles("Persistence.Cassandra/Cql/README.md");

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
}
