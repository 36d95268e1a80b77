using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ClickAggregator.Deploy.Tests;

public partial class DockerfileTests
{
    private static readonly string s_file = Repository.Read("deploy/docker/Dockerfile");

    [Fact]
    public void What_is_copied_from_the_repository_is_there()
    {
        string[] sources = [.. Copies().Matches(s_file).SelectMany(copy => copy.Groups[1].Value.Split(' ')[..^1])];
        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.NotEmpty(Directory.GetFileSystemEntries(Repository.Root, source)));
    }

    [Fact]
    public void Restoring_has_every_project_that_the_API_needs()
    {
        var needed = new SortedSet<string>(StringComparer.Ordinal);
        Gather("Api/Api.csproj", needed);
        string[] copied = [.. Copies().Matches(s_file).Select(copy => copy.Groups[1].Value.Split(' ')[0]).Where(source => source.EndsWith(".csproj", StringComparison.Ordinal))];
        Assert.Equal(needed, copied.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("api", "Api")]
    [InlineData("silo", "Silo")]
    [InlineData("shipper", "Shipper")]
    public void A_target_is_chiselled_and_runs_its_program_without_root(string target, string project)
    {
        string stage = Stages().Matches(s_file).Single(match => match.Groups["name"].Value == target).Value;
        Assert.Matches($"^FROM mcr.microsoft.com/dotnet/(aspnet|runtime):10.0-noble-chiseled(-extra)? AS {target}", stage);
        Assert.Contains("\nUSER 1654\n", stage, StringComparison.Ordinal);
        Assert.Contains($"ENTRYPOINT [\"dotnet\", \"/program/ClickAggregator.{project}.dll\"]", stage, StringComparison.Ordinal);
        Assert.Contains($"RUN dotnet publish {project} ", s_file, StringComparison.Ordinal);
    }

    [Fact]
    public void The_API_has_the_time_zones() => Assert.Contains("aspnet:10.0-noble-chiseled-extra AS api", s_file, StringComparison.Ordinal);

    private static void Gather(string project, SortedSet<string> into)
    {
        if (!into.Add(project))
        {
            return;
        }

        string folder = Path.GetDirectoryName(Path.Combine(Repository.Root, project))!;
        foreach (XElement reference in XDocument.Parse(Repository.Read(project)).Descendants("ProjectReference"))
        {
            string path = Path.GetFullPath(Path.Combine(folder, reference.Attribute("Include")!.Value));
            Gather(Path.GetRelativePath(Repository.Root, path), into);
        }
    }

    [GeneratedRegex(@"^COPY (?!--from)(?:--\S+ )*(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copies();

    [GeneratedRegex(@"^FROM \S.* AS (?<name>\S+)\n(?:(?!FROM ).*\n)*", RegexOptions.Multiline)]
    private static partial Regex Stages();
}
