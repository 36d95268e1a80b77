using ClickAggregator.Api.Settings;

namespace ClickAggregator.Api.Commands;

/// <summary>A subcommand of <c>Api</c>.</summary>
internal interface ICommand
{
    /// <summary>What is typed, e.g. <c>log print</c>.</summary>
    string Name { get; }

    /// <summary>What it does, in one line.</summary>
    string Summary { get; }

    /// <summary>What else its help says; null for nothing.</summary>
    string? Remark => null;

    /// <summary>Its own options. Settings may be given beside them.</summary>
    IReadOnlyList<CommandOption> Options { get; }

    /// <summary>
    /// Whether it works with no server and no data: then it is not refused for settings that a server would miss, only for names
    /// that are none, and reads what it wants of <see cref="CommandInput.Given"/>.
    /// </summary>
    bool OnlyPrints => false;

    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken);
}

/// <summary>An option of one command.</summary>
/// <param name="Name">As typed, e.g. <c>--from</c>; without dashes it is a positional argument, e.g. <c>DIR</c>.</param>
/// <param name="Value">What its value is, e.g. <c>OFFSET</c>; empty for an option that takes none.</param>
/// <param name="Summary">What it means, with its default.</param>
/// <param name="Required">The command does nothing without it.</param>
internal sealed record CommandOption(string Name, string Value, string Summary, bool Required = false)
{
    /// <summary>As it is typed: <c>--from OFFSET</c>.</summary>
    public string Usage => Name.StartsWith('-') && !IsFlag ? $"{Name} {Value}" : Name;

    public bool IsFlag => Value.Length == 0;
}

/// <summary>What a command works with.</summary>
/// <param name="Settings">The settings, as the server would have them.</param>
/// <param name="Options">The command's own options that were given, by name.</param>
/// <param name="Output">For the result only, so that it can be piped.</param>
/// <param name="Error">For everything else.</param>
/// <param name="Given">The settings as they were given.</param>
internal sealed record CommandInput(
    ApiSettings Settings, IReadOnlyDictionary<string, string> Options, TextWriter Output, TextWriter Error, IConfiguration Given);

/// <summary>What the program's exit code says.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>It ran, and what it looked at is not right, or it could not be done.</summary>
    public const int Failed = 1;

    /// <summary>It was called wrongly, or a setting is wrong: nothing was done.</summary>
    public const int Usage = 2;
}
