using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

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
            using ServiceProvider services = new ServiceCollection()
                .AddLogging(logging => logging.AddConfiguration(configuration.GetSection("Logging")).AddConsole())
                .BuildServiceProvider();
            using var line = new StringWriter();
            services.GetServices<ConsoleFormatter>().Single(formatter => formatter.Name == ConsoleFormatterNames.Simple)
                .Write(new LogEntry<string>(LogLevel.Warning, "somebody", 7, "text", null, (text, _) => text), null, line);
            return line.ToString();
        }
        finally
        {
            folder.Delete();
        }
    }
}
