using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Settings.Tests;

/// <summary>What is no setting of the program: typos of its own, settings of others, and names that nobody here knows.</summary>
public class UnknownSettingsTests
{
    private static readonly ProgramNames s_names = new()
    {
        Sections = ["Log", "Kafka"],
        Others = ["Kafka:Other"],
        Refused = new Dictionary<string, string> { ["S3"] = "is not here yet" },
        HostNames = ["urls"],
    };

    [Fact]
    public void A_typo_in_an_own_section_is_a_fault_and_the_nearest_name_is_told() => Assert.Equal(
        ["Log:Byte is not a setting (did you mean Log:Bytes?); --help lists them", "Kafka:Quite is not a setting; --help lists them"],
        Find(new() { ["Log:Byte"] = "1", ["Kafka:Quite"] = "x", ["Kafka:Client:any.name"] = "y", ["Log:Files:0"] = "a", ["Log:Bytes"] = "2" }));

    [Fact]
    public void Settings_that_another_program_reads_are_passed_over() =>
        Assert.Empty(Find(new() { ["Kafka:Other"] = "x", ["Somebody:Elses"] = "y" }));

    [Fact]
    public void What_is_refused_says_why() => Assert.Equal(["S3:Bucket is not here yet"], Find(new() { ["S3:Bucket"] = "b" }));

    [Theory]
    [InlineData("--Log:Byte=1", "--Log:Byte is not a setting (did you mean --Log:Bytes?); --help lists them")]
    [InlineData("--S3:Bucket=b", "S3:Bucket is not here yet")]
    [InlineData("--Kafka:Other=b", "--Kafka:Other is not a setting; --help lists them")]
    [InlineData("file", "\"file\" is not a switch; --help lists them")]
    public void On_the_command_line_only_what_the_program_reads_is_taken(string arg, string fault) =>
        Assert.Equal([fault], Arguments.Parse([arg], Table(), s_names).Faults);

    [Fact]
    public void What_a_framework_reads_itself_is_handed_on()
    {
        Arguments arguments = Arguments.Parse(["--Logging:LogLevel:Default=Debug", "--urls=x"], Table(), s_names);
        Assert.Empty(arguments.Faults);
        Assert.Equal("Debug", arguments.Values["Logging:LogLevel:Default"]);
    }

    private static IReadOnlyList<string> Find(Dictionary<string, string?> given) =>
        UnknownSettings.Find(new ConfigurationBuilder().AddInMemoryCollection(given).Build(), Table(), s_names);

    private static IReadOnlyList<SettingRow> Table() => SettingReader.TableOf(reader =>
    {
        reader.Size("Log:Bytes", 1, 1, 100, "");
        reader.List("Log:Files", [], 10, "", "");
        reader.Map("Kafka:Client", "", "");
    });
}
