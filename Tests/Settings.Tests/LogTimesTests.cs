using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Settings.Tests;

/// <summary>What .NET's console logger makes of the settings that every program has.</summary>
public class LogTimesTests
{
    [Fact]
    public void A_line_of_the_log_has_its_time_in_UTC_to_the_millisecond() =>
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warn: somebody\[7\]", Line());

    [Fact]
    public void The_settings_of_dotNETs_console_say_otherwise_where_they_are_given() =>
        Assert.Matches(@"^at \d\d:\d\d warn: somebody\[7\]", Line("--Logging:Console:FormatterOptions:TimestampFormat=\\a\\t HH:mm "));

    private static string Line(params string[] args)
    {
        var names = new ProgramNames { Sections = [] };
        DirectoryInfo folder = Directory.CreateTempSubdirectory("settings");
        try
        {
            IConfiguration configuration = SettingsSource.Build(Arguments.Parse(args, [], names), names, folder.FullName);
            using var said = new StringWriter();
            TextWriter before = Console.Out;
            Console.SetOut(said);
            try
            {
                using ServiceProvider services = new ServiceCollection()
                    .AddLogging(logging => logging.AddConfiguration(configuration.GetSection("Logging")).AddConsole())
                    .BuildServiceProvider();
                services.GetRequiredService<ILoggerFactory>().CreateLogger("somebody").Log(LogLevel.Warning, 7, "text", null, (text, _) => text);
            }
            finally
            {
                Console.SetOut(before);
            }

            return said.ToString();
        }
        finally
        {
            folder.Delete();
        }
    }
}
