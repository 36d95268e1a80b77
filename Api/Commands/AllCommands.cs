namespace ClickAggregator.Api.Commands;

/// <summary>The commands, in the order in which help lists them.</summary>
internal static class AllCommands
{
    public static IReadOnlyList<ICommand> Make(TimeProvider time) =>
    [
        new LogPrintCommand(),
        new UnbuiltCommand("verify", "recounts the log and compares it with the store; exit code 1 if they differ"),
        new UnbuiltCommand("backup", "writes a consistent copy of the data directory, also while the server runs",
            new CommandOption("DIR", "DIR", "the folder of the copy; must not exist", Required: true)),
        new SignLinkCommand(time),
    ];
}
