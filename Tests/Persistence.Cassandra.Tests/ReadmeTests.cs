using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Readmes;

namespace ClickAggregator.Persistence.Cassandra.Tests;

public class ReadmeTests
{
    [Theory]
    [InlineData("Persistence.Cassandra/README.md")]
    [InlineData("Persistence.Cassandra/Cql/README.md")]
    public void The_code_of_the_README_is_code_that_compiles(string readme) => ReadmeCode.AssertCompiles(readme);

    [Fact]
    public void The_script_in_the_package_is_that_of_this_build() => Assert.Equal(
        SchemaScript.Of(CqlIdentifier.Parse("orleans"), "{'class': 'NetworkTopologyStrategy', 'dc1': 3}", OrleansSchema.Part),
        File.ReadAllText(Path.Combine(Folder(), "..", "..", "Persistence.Cassandra", "Schema", "orleans.cql")));

    [Theory]
    [InlineData("")]
    [InlineData("Cql/")]
    public void What_a_README_links_to_is_in_the_package(string folder)
    {
        string project = Path.Combine(Folder(), "..", "..", "Persistence.Cassandra");
        string[] packed = [.. XDocument.Load(Path.Combine(project, "Persistence.Cassandra.csproj")).Descendants("None")
            .Where(item => item.Attribute("Pack")?.Value == "true")
            .Select(item => item.Attribute("PackagePath")!.Value.Trim('/') is { Length: > 0 } path ? $"{path}/{Path.GetFileName(item.Attribute("Include")!.Value)}" : item.Attribute("Include")!.Value)];
        Assert.Contains($"{folder}README.md", packed);
        string[] links = [.. Regex.Matches(File.ReadAllText(Path.Combine(project, folder, "README.md")), @"\]\((?!https?:|#)([^)#]+)").Select(link => link.Groups[1].Value)];
        Assert.All(links, link => Assert.Contains(folder + link, packed));
    }

    [Fact]
    public void The_client_knows_no_Orleans()
    {
        string folder = Path.Combine(Folder(), "..", "..", "Persistence.Cassandra", "Cql");
        string[] files = Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.DoesNotContain("Orleans", File.ReadAllText(file), StringComparison.Ordinal));
        Assert.DoesNotContain(
            typeof(CqlDataSource).Assembly.GetTypes().Where(type => type.Namespace?.StartsWith("ClickAggregator.Persistence.Cassandra.Cql", StringComparison.Ordinal) == true)
                .SelectMany(type => type.GetInterfaces().Append(type.BaseType)),
            parent => parent?.Namespace?.StartsWith("Orleans", StringComparison.Ordinal) == true);
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
