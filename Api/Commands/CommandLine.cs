using ClickAggregator.Api.Settings;
using ClickAggregator.Settings;

namespace ClickAggregator.Api.Commands;

/// <summary>Finds and runs the subcommand that was typed.</summary>
internal sealed class CommandLine(IReadOnlyList<ICommand> commands, TextWriter output, TextWriter error)
{
    /// <summary>Whether these arguments are for a command, not for the server.</summary>
    public static bool IsCommand(IReadOnlyList<string> args) => args.Count > 0 && !args[0].StartsWith('-');

    public async Task<int> RunAsync(IReadOnlyList<string> args, CancellationToken cancellationToken)
    {
        if (Find(args, out int words) is not { } command)
        {
            string typed = string.Join(' ', args.TakeWhile(arg => !arg.StartsWith('-')));
            await error.WriteLineAsync($"There is no command \"{typed}\". There are:");
            foreach (ICommand known in commands)
            {
                await error.WriteLineAsync($"  {known.Name,-12} {known.Summary}");
            }

            await error.WriteLineAsync("Without a command the server starts; --help lists its settings.");
            return ExitCodes.Usage;
        }

        string[] rest = [.. args.Skip(words)];
        if (rest.Any(arg => arg is "--help" or "-h" or "-?"))
        {
            await WriteHelpAsync(command);
            return ExitCodes.Done;
        }

        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        List<string> faults = [];
        string[] settingArgs = Take(command, rest, options, faults);
        Arguments arguments = Arguments.Parse(settingArgs, ApiSettings.Table(), Sections.Names);
        IConfiguration given = SettingsSource.Build(arguments, Sections.Names);
        LoadedSettings loaded = SettingsLoader.Load(given, arguments);
        faults.AddRange(command.OnlyPrints ? [.. arguments.Faults, .. UnknownSettings.Find(given, ApiSettings.Table(), Sections.Names)] : loaded.Faults);
        faults.AddRange(command.Options.Where(option => option.Required && !options.ContainsKey(option.Name))
            .Select(option => $"{option.Name} is missing: {option.Summary}"));
        if (faults.Count > 0)
        {
            await WriteFaultsAsync(command, faults);
            return ExitCodes.Usage;
        }

        try
        {
            return await command.RunAsync(new CommandInput(loaded.Settings, options, output, error, given), cancellationToken);
        }
        catch (UsageException e)
        {
            await WriteFaultsAsync(command, [e.Message]);
            return ExitCodes.Usage;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync($"{command.Name} was stopped before it was done");
            return ExitCodes.Failed;
        }
    }

    private ICommand? Find(IReadOnlyList<string> args, out int words)
    {
        foreach (ICommand command in commands)
        {
            string[] name = command.Name.Split(' ');
            if (args.Take(name.Length).SequenceEqual(name))
            {
                words = name.Length;
                return command;
            }
        }

        words = 0;
        return null;
    }

    // Takes the command's own options out; what is left are settings.
    private static string[] Take(ICommand command, string[] args, Dictionary<string, string> options, List<string> faults)
    {
        var left = new List<string>();
        var places = new Queue<CommandOption>(command.Options.Where(option => !option.Name.StartsWith('-')));
        for (int i = 0; i < args.Length; i++)
        {
            string arg = args[i];
            string name = arg.Split('=', 2)[0];
            if (command.Options.FirstOrDefault(option => option.Name == name) is { } known)
            {
                string? value = arg.Length > name.Length ? arg[(name.Length + 1)..] : known.IsFlag ? "" : i + 1 < args.Length ? args[++i] : null;
                if (known.IsFlag && value!.Length > 0)
                {
                    faults.Add($"{name} takes no value");
                }
                else if (value is null)
                {
                    faults.Add($"{name} needs a value");
                }
                else if (!options.TryAdd(name, value))
                {
                    faults.Add($"{name} is given twice");
                }
            }
            else if (!arg.StartsWith('-') && places.TryDequeue(out CommandOption? place))
            {
                options.Add(place.Name, arg);
            }
            else
            {
                left.Add(arg);
                // a setting's value belongs to it
                if (arg.StartsWith('-') && arg == name && i + 1 < args.Length && !args[i + 1].StartsWith('-'))
                {
                    left.Add(args[++i]);
                }
            }
        }

        return [.. left];
    }

    private async Task WriteFaultsAsync(ICommand command, IEnumerable<string> faults)
    {
        foreach (string fault in faults)
        {
            await error.WriteLineAsync(fault);
        }

        await error.WriteLineAsync($"Api {command.Name} --help says how it is called.");
    }

    private async Task WriteHelpAsync(ICommand command)
    {
        string usage = string.Concat(command.Options.Select(option => option.Required ? " " + option.Usage : $" [{option.Usage}]"));
        await output.WriteLineAsync($"Api {command.Name}{usage} [settings]");
        await output.WriteLineAsync(command.Summary);
        foreach (CommandOption option in command.Options)
        {
            await output.WriteLineAsync($"  {option.Usage,-24} {option.Summary}");
        }

        if (command.Remark is { } remark)
        {
            await output.WriteLineAsync(remark);
        }

        await output.WriteLineAsync("Settings are the server's, e.g. --data DIR; Api --help lists them.");
        await output.WriteLineAsync("Exit codes: 0 done, 1 failed or not right, 2 called wrongly.");
    }
}
