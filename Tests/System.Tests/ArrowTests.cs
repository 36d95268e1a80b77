using System.Xml.Linq;
using ClickAggregator.SystemTests.Oracle;

namespace ClickAggregator.SystemTests;

public class ArrowTests
{
    // Who may reference whom: the drawing in docs/ARCHITECTURE.md.
    private static readonly Dictionary<string, string[]> Drawn = new()
    {
        ["Clicks"] = [],
        ["ClickLog"] = ["Clicks"],
        ["Grains.Interfaces"] = ["Clicks"],
        ["Streaming"] = [],
        ["Streaming.Kafka"] = ["Streaming"],
        ["Persistence.Cassandra"] = [],
        ["Grains"] = ["Grains.Interfaces", "Streaming"],
        ["Adapters"] = ["Grains", "ClickLog", "Persistence.Cassandra"],
        ["Silo"] = ["Adapters", "Settings", "Streaming.Kafka"],
        ["Settings"] = [],
        ["Shipper"] = ["ClickLog", "Settings"],
        ["Api"] = ["Silo", "ClickLog", "Shipper", "Settings"],
    };

    private static readonly Dictionary<string, string[]> MustNotKnow = new()
    {
        ["Clicks"] = ["Orleans", "Sqlite", "Kafka", "AWSSDK", "Parquet"],
        ["ClickLog"] = ["Orleans", "Sqlite", "Kafka", "AWSSDK", "Parquet"],
        ["Streaming"] = ["Sqlite", "Kafka"],
        ["Persistence.Cassandra"] = ["Sqlite", "Kafka", "AspNetCore"],
        ["Settings"] = ["Orleans", "Sqlite", "Kafka", "AspNetCore"],
        ["Shipper"] = ["Orleans", "Sqlite", "AspNetCore"],
        ["Grains"] = ["Sqlite", "Kafka", "AspNetCore", "AWSSDK", "Parquet"],
        ["Adapters"] = ["AspNetCore", "DuckDB"],
        ["Silo"] = ["AWSSDK", "Parquet", "DuckDB"],
        ["Api"] = ["AWSSDK", "Parquet", "DuckDB"],
    };

    [Fact]
    public void Projects_reference_exactly_what_the_architecture_draws()
    {
        string root = Repository.Root;
        string[] projects = Directory.GetDirectories(root)
            .Select(Path.GetFileName).OfType<string>()
            .Where(name => File.Exists(Path.Combine(root, name, name + ".csproj")) && name is not "Bench")
            .Order().ToArray();
        Assert.Equal(Drawn.Keys.Order(), projects);
        foreach (string project in projects)
        {
            XDocument file = XDocument.Load(Path.Combine(root, project, project + ".csproj"));
            string[] references = file.Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value)).Order().ToArray();
            Assert.Equal(Drawn[project].Order(), references);

            string packages = string.Join(' ', file.Descendants("PackageReference").Select(r => r.Attribute("Include")!.Value));
            foreach (string stranger in MustNotKnow.GetValueOrDefault(project) ?? [])
            {
                Assert.DoesNotContain(stranger, packages, StringComparison.OrdinalIgnoreCase);
            }
        }
    }
}
