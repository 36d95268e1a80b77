using System.Xml.Linq;

namespace ClickAggregator.Deploy.Tests;

/// <summary>What is made into packages for others.</summary>
public class PackageTests
{
    [Fact]
    public void A_package_has_its_documentation_and_depends_on_what_its_project_names()
    {
        XElement group = Assert.Single(
            XDocument.Parse(Repository.Read("Directory.Build.props")).Descendants("PropertyGroup"), each => each.Attribute("Condition") is not null);
        Assert.Equal("true", group.Element("GenerateDocumentationFile")?.Value);
        Assert.Equal("false", group.Element("CentralPackageTransitivePinningEnabled")?.Value);
        string[] packed = [.. Directory.GetFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories)
            .Where(file => XDocument.Load(file).Descendants("IsPackable").Any(each => each.Value == "true"))
            .Select(file => $"'$(MSBuildProjectName)' == '{Path.GetFileNameWithoutExtension(file)}'").Order()];
        Assert.NotEmpty(packed);
        Assert.Equal(packed, group.Attribute("Condition")!.Value.Split(" Or ").Order());
    }
}
